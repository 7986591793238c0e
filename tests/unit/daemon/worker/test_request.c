/* SPDX-License-Identifier: MIT */
#include "daemon/worker/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/worker/cost.h"
#include "lib/base/slice.h"
#include "support/room.h"

enum {
    HEAD_MAX = 64 * 1024,
};

static struct connection *begin(struct room *room, int *ret_peer)
{
    struct connection *connection;

    room_open(room, NULL, NULL);
    connection = room_connect(room, NULL, ret_peer);
    connection_enter(connection, PHASE_REQUEST);
    request_begin(connection);
    return connection;
}

/* Only a whole head gets to h2o, which answers 404 where it has no handler. */
static void test_whole_head(void **state)
{
    struct connection *connection;
    struct room room;
    char answer[1000];
    int peer;

    (void)state;
    connection = begin(&room, &peer);
    assert_int_equal(connection->share.bytes, COST_CONNECTION);
    room_send(peer, "GET / HTTP/1.1\r\nHost: a\r\n");
    room_receive(&room, peer, answer, sizeof(answer));
    assert_string_equal(answer, "");
    assert_false(connection->is_handed_over);
    room_send(peer, "\r\n");
    room_receive(&room, peer, answer, sizeof(answer));
    assert_memory_equal(answer, "HTTP/1.1 404", 12);
    close(peer);
    room_close(&room);
}

static void test_refused(void **state)
{
    static const struct {
        const char *sent;
        const char *want; /* "": more may come */
    } rows[] = {
        {"GET / HTTP/2.0\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"PRI * HTTP/2.0\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /\x01", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct room room;
        char answer[1000];
        int peer;

        begin(&room, &peer);
        room_send(peer, rows[i].sent);
        room_receive(&room, peer, answer, sizeof(answer));
        if (rows[i].want[0] == '\0' ? answer[0] != '\0'
                                    : strncmp(answer, rows[i].want, strlen(rows[i].want)) != 0)
            fail_msg("row %zu: wanted %s, seen %s", i, rows[i].want, answer);
        if (rows[i].want[0] != '\0') {
            const char *body = strstr(answer, "\r\n\r\n");
            char field[64];

            snprintf(field, sizeof(field), "Content-Length: %zu\r\n", strlen(body + 4));
            assert_non_null(strstr(answer, field));
            assert_true(room_is_ended(peer));
            assert_int_equal(room.metrics.requests[METRICS_CODE_400], 1);
        }
        close(peer);
        room_close(&room);
    }
}

/* One octet more than a head may have. */
static void test_large_head(void **state)
{
    static char head[HEAD_MAX + 1];
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
    struct room room;
    char answer[1000];
    int peer;

    (void)state;
    memset(head, 'a', sizeof(head) - 1);
    memcpy(head, start, sizeof(start) - 1);
    begin(&room, &peer);
    room_send(peer, head);
    room_receive(&room, peer, answer, sizeof(answer));
    assert_string_equal(answer, "");
    room_send(peer, "a");
    room_receive(&room, peer, answer, sizeof(answer));
    assert_memory_equal(answer, "HTTP/1.1 431", 12);
    assert_true(room_is_ended(peer));
    assert_int_equal(room.metrics.requests[METRICS_CODE_431], 1);
    close(peer);
    room_close(&room);
}

/* A report may come slowly; another body has no more time than a request without a body. */
static void test_bodies(void **state)
{
    static const struct {
        const char *sent;
        enum connection_phase phase;
    } rows[] = {
        {"POST /tlsrpt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", PHASE_BODY},
        {"POST /tlsrpt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", PHASE_BODY},
        {"POST /tlsrpt/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", PHASE_REQUEST},
        {"PUT /tlsrpt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", PHASE_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct connection *connection;
        struct room room;
        int peer;

        connection = begin(&room, &peer);
        room_send(peer, rows[i].sent);
        room_run(&room);
        if (!connection->is_handed_over || connection->phase != rows[i].phase)
            fail_msg("row %zu: seen phase %d", i, connection->phase);
        assert_true(connection->body_bytes > 0);
        close(peer);
        room_close(&room);
    }
}

/* An expectation is no answer: a peer that goes away then is no bad request. */
static void test_expectation(void **state)
{
    struct room room;
    char answer[1000];
    int peer;

    (void)state;
    begin(&room, &peer);
    room_send(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
                    "Expect: 100-continue\r\n\r\n");
    room_receive(&room, peer, answer, sizeof(answer));
    assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    close(peer);
    room_run(&room);
    assert_int_equal(room.metrics.ends[END_PEER], 1);
    assert_int_equal(room.metrics.requests[METRICS_CODE_400], 0);
    room_close(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_head),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_large_head),  cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_expectation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
