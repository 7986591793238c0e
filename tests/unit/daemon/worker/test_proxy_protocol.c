/* SPDX-License-Identifier: MIT */
#include "daemon/worker/proxy_protocol.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/net/proxy_header.h"
#include "daemon/worker/log_record.h"
#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"
#include "support/room.h"

/* A peer on a unix socket may send headers; one with an address must be trusted. */
static void test_admit(void **state)
{
    static const struct {
        const char *peer; /* NULL: a unix socket */
        bool is_admitted;
    } rows[] = {{NULL, true}, {"192.0.2.1", true}, {"192.0.2.255", true}, {"192.0.3.1", false}};
    struct prefix trusted;
    struct err err;
    struct room room;

    (void)state;
    room_open(&room, NULL, NULL);
    assert_int_equal(prefix_parse(slice_of("192.0.2.0/24"), &trusted, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4711)};
        struct log_record record;
        int peer;
        h2o_socket_t *sock = room_socket(&room, &peer);

        if (rows[i].peer) {
            assert_int_equal(inet_pton(AF_INET, rows[i].peer, &address.sin_addr), 1);
            h2o_socket_setpeername(sock, (struct sockaddr *)&address, sizeof(address));
        }
        if (proxy_protocol_admit(room.connections, sock, &trusted, 1) != rows[i].is_admitted)
            fail_msg("row %zu: wanted %d", i, rows[i].is_admitted);
        assert_int_equal(room_is_ended(peer), !rows[i].is_admitted);
        assert_int_equal(room_take_record(&room, &record), !rows[i].is_admitted);
        if (rows[i].is_admitted) {
            h2o_socket_close(sock);
        } else {
            assert_int_equal(record.kind, LOG_RECORD_UNTRUSTED);
            assert_string_equal(record.peer, "192.0.3.1:4711");
        }
        close(peer);
    }
    assert_int_equal(room.metrics.ends[END_UNTRUSTED], 1);
    room_close(&room);
}

static union proxy_client client;
static bool is_whole;

static void take(struct connection *connection)
{
    is_whole = proxy_protocol_take(connection, &client);
}

static void begin(struct room *room, int *ret_peer)
{
    struct connection *connection = room_connect(room, NULL, ret_peer);

    is_whole = false;
    connection_enter(connection, PHASE_HEADER);
    read_stage_begin(connection, take);
}

static void test_take(void **state)
{
    struct room room;
    int peer;

    (void)state;
    room_open(&room, NULL, NULL);
    begin(&room, &peer);
    room_send(peer, "PROXY TCP4 192.0.2.9 192.0.2.1 4711 ");
    room_run(&room);
    assert_false(is_whole);
    assert_false(room_is_ended(peer));
    room_send(peer, "443\r\n");
    room_run(&room);
    assert_true(is_whole);
    assert_int_equal(client.any.sa_family, AF_INET);
    assert_int_equal(client.v4.sin_addr.s_addr, htonl(0xc0000209));
    close(peer);
    room_close(&room);
}

static void test_bad_header(void **state)
{
    struct log_record record;
    struct room room;
    int peer;

    (void)state;
    room_open(&room, NULL, NULL);
    begin(&room, &peer);
    room_send(peer, "GET / HTTP/1.1\r\n");
    room_run(&room);
    assert_false(is_whole);
    assert_true(room_is_ended(peer));
    assert_int_equal(room.metrics.ends[END_HEADER], 1);
    assert_true(room_take_record(&room, &record));
    assert_int_equal(record.kind, LOG_RECORD_BAD_HEADER);
    assert_string_equal(record.fault, "no header");
    assert_string_equal(record.peer, "");
    close(peer);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admit),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_bad_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
