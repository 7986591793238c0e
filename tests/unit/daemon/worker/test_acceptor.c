/* SPDX-License-Identifier: MIT */
#include "daemon/worker/acceptor.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/connection_counts.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/worker_socket.h"
#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"
#include "support/room.h"

/* Accepts a connection from this address; NULL: a unix socket. Returns the peer. */
static int accept_from(struct room *room, struct acceptor *acceptor, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int peer;
    h2o_socket_t *sock = room_socket(room, &peer);

    if (text) {
        assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
        h2o_socket_setpeername(sock, (struct sockaddr *)&address, sizeof(address));
    }
    acceptor_take(acceptor, sock);
    return peer;
}

static void set_client_limit(struct room *room, size_t per_client_max)
{
    const struct connection_limits limits = {SIZE_MAX, per_client_max, SIZE_MAX, SIZE_MAX};

    connections_set_limits(room->connections, &limits);
}

/* Without TLS and proxies: the request's time begins, and the address counts. */
static void test_plain(void **state)
{
    const struct worker_socket socket = {.serves = SERVES_POLICIES};
    struct acceptor *acceptor;
    struct room room;
    int peers[3];

    (void)state;
    room_open(&room, NULL, NULL);
    set_client_limit(&room, 1);
    acceptor = acceptor_new(room.connections, &room.kind, &socket);
    peers[0] = accept_from(&room, acceptor, "192.0.2.1");
    peers[1] = accept_from(&room, acceptor, "192.0.2.2");
    peers[2] = accept_from(&room, acceptor, "192.0.2.1");
    assert_true(room_is_ended(peers[0]));
    assert_false(room_is_ended(peers[1]) || room_is_ended(peers[2]));
    assert_int_equal(room.metrics.opened, 3);
    room.now_ms += 5000;
    connections_sweep(room.connections);
    assert_int_equal(room.metrics.ends[END_REQUEST], 2);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        close(peers[i]);
    room_close(&room);
    acceptor_free(acceptor);
    acceptor_free(NULL);
}

/* A proxy's connections, which it keeps, count for no client. */
static void test_keeps_alive(void **state)
{
    const struct worker_socket socket = {.keeps_alive = true};
    struct connection_kind kind;
    struct acceptor *acceptor;
    struct room room;
    int peers[2];

    (void)state;
    room_open(&room, NULL, NULL);
    set_client_limit(&room, 1);
    kind = room.kind;
    kind.keeps_alive = true;
    acceptor = acceptor_new(room.connections, &kind, &socket);
    peers[0] = accept_from(&room, acceptor, "192.0.2.1");
    peers[1] = accept_from(&room, acceptor, "192.0.2.1");
    assert_false(room_is_ended(peers[0]) || room_is_ended(peers[1]));
    close(peers[0]);
    close(peers[1]);
    room_close(&room);
    acceptor_free(acceptor);
}

/* Behind a proxy the client of the header counts; a stranger gets no connection at all. */
static void test_proxy_protocol(void **state)
{
    static const char header[] = "PROXY TCP4 192.0.2.9 192.0.2.1 4711 443\r\n";
    struct prefix trusted;
    struct err err;
    struct worker_socket socket = {.has_proxy_protocol = true, .trusted = &trusted, .n_trusted = 1};
    struct acceptor *acceptor;
    struct log_record record;
    struct room room;
    int peers[4];

    (void)state;
    room_open(&room, NULL, NULL);
    set_client_limit(&room, 1);
    assert_int_equal(prefix_parse(slice_of("10.0.0.0/8"), &trusted, &err), 0);
    acceptor = acceptor_new(room.connections, &room.kind, &socket);
    memset(&trusted, 0, sizeof(trusted)); /* it has a copy */
    peers[0] = accept_from(&room, acceptor, "10.0.0.1");
    peers[1] = accept_from(&room, acceptor, "10.0.0.1");
    peers[2] = accept_from(&room, acceptor, "11.0.0.1");
    assert_true(room_is_ended(peers[2]));
    assert_true(room_take_record(&room, &record));
    room_send(peers[0], header);
    room_run(&room);
    room_send(peers[1], header);
    room_run(&room);
    assert_true(room_is_ended(peers[0]));
    assert_false(room_is_ended(peers[1]));
    assert_int_equal(room.metrics.ends[END_EVICTED], 1);
    /* One that is being answered stays, and the new one goes. */
    room_send(peers[1], "GET / HTTP/1.1\r\nHost: a\r\n");
    peers[3] = accept_from(&room, acceptor, "10.0.0.1");
    room_send(peers[3], "PROXY UNKNOWN\r\n");
    room_run(&room);
    assert_false(room_is_ended(peers[1]) || room_is_ended(peers[3]));
    room.now_ms += 5000;
    connections_sweep(room.connections);
    assert_int_equal(room.metrics.ends[END_REQUEST], 2);
    assert_int_equal(room.metrics.ends[END_HANDSHAKE], 0);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        close(peers[i]);
    room_close(&room);
    acceptor_free(acceptor);
}

/* No header in time; TLS that has not begun in time. */
static void test_deadlines(void **state)
{
    const struct worker_socket proxied = {.has_proxy_protocol = true}, direct = {.has_tls = true};
    struct acceptor *acceptors[2];
    struct connection_kind kind;
    struct room room;
    int peers[2];

    (void)state;
    room_open(&room, NULL, NULL);
    kind = room.kind;
    kind.ssl_ctx = SSL_CTX_new(TLS_server_method());
    acceptors[0] = acceptor_new(room.connections, &kind, &proxied);
    acceptors[1] = acceptor_new(room.connections, &kind, &direct);
    peers[0] = accept_from(&room, acceptors[0], NULL);
    peers[1] = accept_from(&room, acceptors[1], NULL);
    room.now_ms += 5000;
    connections_sweep(room.connections);
    assert_int_equal(room.metrics.ends[END_HANDSHAKE], 2);
    assert_int_equal(room.metrics.handshakes[HANDSHAKE_FAILED], 1);
    close(peers[0]);
    close(peers[1]);
    room_close(&room);
    acceptor_free(acceptors[0]);
    acceptor_free(acceptors[1]);
    SSL_CTX_free(kind.ssl_ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_keeps_alive),
        cmocka_unit_test(test_proxy_protocol),
        cmocka_unit_test(test_deadlines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
