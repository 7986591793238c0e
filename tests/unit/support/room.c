/* SPDX-License-Identifier: MIT */
#include "support/room.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/connection_counts.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/mailbox.h"

static uint64_t room_monotonic_ms(const struct clock *clock)
{
    return ((const struct room *)clock)->now_ms;
}

static int64_t room_unix_ms(const struct clock *clock)
{
    return (int64_t)((const struct room *)clock)->now_ms;
}

static void room_ignore(void *context)
{
    (void)context;
}

void room_open(struct room *room, struct connection_counts *counts, room_register *reg)
{
    struct connections_options options = {.clock = &room->clock, .metrics = &room->metrics};
    h2o_hostconf_t *host;

    *room = (struct room){
        .clock = {.monotonic_ms = room_monotonic_ms, .unix_ms = room_unix_ms},
        .now_ms = 1000,
        .loop = h2o_evloop_create(),
        .counts = counts ? counts : connection_counts_new(16),
        .owns_counts = !counts,
        .kind = {.serves = SERVES_POLICIES, .context = &room->context},
    };
    h2o_config_init(&room->globalconf);
    host = h2o_config_register_host(&room->globalconf, h2o_iovec_init(H2O_STRLIT("any")), 65535);
    if (reg)
        reg(host, room);
    h2o_context_init(&room->context, room->loop, &room->globalconf);
    room->log = log_ring_new(8, &room->clock, room_ignore, NULL);
    options.log = room->log;
    options.counts = room->counts;
    options.mailbox = room->mailbox = mailbox_new();
    mailbox_open(room->mailbox, room->loop);
    room->connections = connections_new(&options);
}

void room_close(struct room *room)
{
    connections_drain(room->connections, room->now_ms);
    room_run(room);
    assert_int_equal(connections_count(room->connections), 0);
    mailbox_close(room->mailbox);
    mailbox_unref(room->mailbox);
    connections_free(room->connections);
    log_ring_free(room->log);
    h2o_context_dispose(&room->context);
    h2o_config_dispose(&room->globalconf);
    h2o_evloop_destroy(room->loop);
    if (room->owns_counts)
        connection_counts_free(room->counts);
}

h2o_socket_t *room_socket(struct room *room, int *ret_peer)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    *ret_peer = fds[1];
    return h2o_evloop_socket_create(room->loop, fds[0], 0);
}

struct connection *room_connect(struct room *room, const char *address, int *ret_peer)
{
    struct sockaddr_in client = {.sin_family = AF_INET};
    h2o_socket_t *sock = room_socket(room, ret_peer);

    if (address)
        assert_int_equal(inet_pton(AF_INET, address, &client.sin_addr), 1);
    return connection_open(room->connections, &room->kind, sock,
                           address ? (const struct sockaddr *)&client : NULL);
}

void room_run(struct room *room)
{
    /* What one turn writes and closes is there after the next ones. */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(h2o_evloop_run(room->loop, 0), 0);
        connections_end_turn(room->connections);
    }
}

bool room_is_ended(int peer)
{
    char octet;
    ssize_t n = recv(peer, &octet, 1, MSG_DONTWAIT | MSG_PEEK);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

void room_send(int peer, const char *text)
{
    assert_int_equal(send(peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

void room_receive(struct room *room, int peer, char *buffer, size_t size)
{
    ssize_t n;

    room_run(room);
    n = recv(peer, buffer, size - 1, MSG_DONTWAIT);
    buffer[n > 0 ? n : 0] = '\0';
}

bool room_take_record(struct room *room, struct log_record *ret_record)
{
    const struct log_record *record = log_ring_peek(room->log);

    if (!record)
        return false;
    *ret_record = *record;
    log_ring_release(room->log);
    return true;
}
