/* SPDX-License-Identifier: MIT */
#include "daemon/worker/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/cost.h"
#include "lib/base/slice.h"
#include "support/room.h"

/* A room whose connections have TLS, without a certificate. */
static struct connection *begin(struct room *room, int *ret_peer)
{
    struct connection *connection;

    room_open(room, NULL, NULL);
    room->kind.ssl_ctx = SSL_CTX_new(TLS_server_method());
    connection = room_connect(room, NULL, ret_peer);
    hello_begin(connection);
    return connection;
}

static void end(struct room *room, int peer)
{
    close(peer);
    room_close(room);
    SSL_CTX_free(room->kind.ssl_ctx);
}

static void send_octets(int peer, const char *octets, size_t len)
{
    assert_int_equal(write(peer, octets, len), len);
}

/* Before the first record is in, OpenSSL has no part in a connection, and it costs its octets. */
static void test_cost_before_the_first_record(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
    } rows[] = {
        {"\x16", 1},
        {"\x16\x03\x01\x40\x00", 5},
        {"\x16\x03\x01\x00\x04\x01\x00\x00", 8},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct room room;
        int peer;
        struct connection *connection = begin(&room, &peer);

        send_octets(peer, rows[i].octets, rows[i].len);
        room_run(&room);
        assert_int_equal(connection->share.bytes,
                         COST_CONNECTION + connection->sock->input->capacity);
        assert_null(connection->sock->ssl);
        assert_int_equal(connection->phase, PHASE_HANDSHAKE);
        end(&room, peer);
    }
}

/* What the record says of the message that it begins, OpenSSL takes memory for. */
static void test_cost_of_the_message(void **state)
{
    static const struct {
        const char *octets;
        size_t len, want;
    } rows[] = {
        {"\x16\x03\x01\x00\x04\x01\x00\x00\x10", 9, 0},
        {"\x16\x03\x01\x00\x04\x01\x00\x3f\xff", 9, 0},
        {"\x16\x03\x01\x00\x04\x01\x00\x40\x00", 9, 0x4000 / 3 * 4},
        {"\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9, COST_HELLO_MAX},
        {"\x16\x03\x01\x00\x01\x01", 6, COST_HELLO_MAX}, /* it does not say */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct room room;
        int peer;
        struct connection *connection = begin(&room, &peer);

        send_octets(peer, rows[i].octets, rows[i].len);
        room_run(&room);
        /* OpenSSL refuses a message of the largest size at once. */
        if (connections_count(room.connections) > 0 &&
            connection->share.bytes != COST_HANDSHAKE + rows[i].want)
            fail_msg("row %zu: wanted %zu, seen %zu", i, rows[i].want,
                     connection->share.bytes - COST_HANDSHAKE);
        end(&room, peer);
    }
}

/* Octets that are no TLS end the connection, and count as a failed handshake. */
static void test_garbage(void **state)
{
    struct room room;
    int peer;

    (void)state;
    begin(&room, &peer);
    room_send(peer, "GET / HTTP/1.1\r\n\r\n");
    room_run(&room);
    assert_int_equal(connections_count(room.connections), 0);
    assert_int_equal(room.metrics.handshakes[HANDSHAKE_FAILED], 1);
    assert_int_equal(room.metrics.ends[END_PEER], 1);
    end(&room, peer);
}

/* What the steps of a handshake cost. */
static void test_steps(void **state)
{
    struct room room;
    int peer;
    struct connection *connection = begin(&room, &peer);

    (void)state;
    hello_expect_another(connection);
    assert_int_equal(connection->share.bytes, COST_HANDSHAKE + COST_HELLO_MAX);
    connection_hold(connection, COST_HANDSHAKE);
    hello_answered(connection);
    assert_int_equal(connection->share.bytes, COST_HANDSHAKE_ANSWERED);
    end(&room, peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_before_the_first_record),
        cmocka_unit_test(test_cost_of_the_message),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
