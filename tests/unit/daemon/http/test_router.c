/* SPDX-License-Identifier: MIT */
#include "daemon/http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/log_record.h"
#include "lib/config/config.h"
#include "support/asked.h"
#include "support/loaded.h"

static const char yaml[] = "log: {access: text}\n"
                           "policy_host: {name: policy.provider.example}\n"
                           "domains: {example.com: {mx: [mx.example.com]}}\n";

static int print_page(void *context, struct slice path, const char **ret_type, FILE *out)
{
    (void)context, (void)ret_type;
    fprintf(out, "%.*s\n", (int)path.len, path.ptr);
    return 200;
}

static void set_handlers(h2o_hostconf_t *host, struct room *room)
{
    const struct router_options options = {.snapshot = &room->snapshot, .print_admin = print_page};

    router_register(host, &options);
}

static void serve_open(struct asked *asked)
{
    asked_open(asked, set_handlers);
    asked->room.snapshot.config = loaded_config("%s", yaml);
}

static void serve_close(struct asked *asked)
{
    struct config *config = asked->room.snapshot.config;

    asked_close(asked);
    config_unref(config);
}

#define PATH "/.well-known/mta-sts.txt"
#define GOOD "GET " PATH " HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n"

static void test_statuses(void **state)
{
    static const struct {
        const char *request, *head;
    } rows[] = {
        {GOOD, "HTTP/1.1 200 OK"},
        {"GET " PATH "?a HTTP/1.1\r\nHost: MTA-STS.example.com.:8080 \r\n\r\n", "HTTP/1.1 200 OK"},
        {"GET http://mta-sts.example.com" PATH " HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n",
         "HTTP/1.1 200 OK"},
        {"GET http://mta-sts.example.net" PATH " HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n",
         "HTTP/1.1 400 Bad Request"},
        {"GET " PATH " HTTP/1.1\r\nHost: a b\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET " PATH " HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET " PATH " HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found"},
        {"GET " PATH " HTTP/1.1\r\nHost: example.com\r\n\r\n", "HTTP/1.1 404 Not Found"},
        {"GET / HTTP/1.1\r\nHost: mta-sts.example.com\r\n\r\n", "HTTP/1.1 404 Not Found"},
        {"POST / HTTP/1.1\r\nHost: mta-sts.example.com\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 404 Not Found"},
        {"PUT " PATH " HTTP/1.1\r\nHost: mta-sts.example.com\r\nContent-Length: 1\r\n\r\na",
         "HTTP/1.1 405 Method Not Allowed"},
    };
    struct asked asked;

    (void)state;
    serve_open(&asked);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        asked_send(&asked, rows[i].request);
        if (strcmp(asked.head, rows[i].head) != 0)
            fail_msg("row %zu: wanted %s, seen %s", i, rows[i].head, asked.head);
    }
    assert_string_equal(asked_field(&asked, "allow"), "GET, HEAD");
    assert_int_equal(asked.room.metrics.requests[METRICS_CODE_200], 3);
    assert_int_equal(asked.room.metrics.requests[METRICS_CODE_405], 1);
    serve_close(&asked);
}

/* Each request is logged when it is over, with what was asked for and what was answered. */
static void test_log(void **state)
{
    struct log_record record;
    struct asked asked;

    (void)state;
    serve_open(&asked);
    asked_send(&asked,
               "HEAD /x?y HTTP/1.1\r\nHost: mta-sts.example.com:1\r\nUser-Agent: a/1\r\n\r\n");
    assert_true(room_take_record(&asked.room, &record));
    assert_int_equal(record.kind, LOG_RECORD_REQUEST);
    assert_string_equal(record.server, "mta-sts.example.com:1");
    assert_string_equal(record.method, "HEAD");
    assert_string_equal(record.path, "/x?y");
    assert_string_equal(record.agent, "a/1");
    assert_int_equal(record.status, 404);
    assert_int_equal(record.body_len, 0);
    assert_null(record.tls_version);
    assert_false(room_take_record(&asked.room, &record));
    serve_close(&asked);
}

/* A policy that is asked for with a Host that is nobody's has a line; other requests have none. */
static void test_unserved_hosts(void **state)
{
    static const struct {
        const char *request, *logged; /* NULL: nothing is */
        uint16_t status;
    } rows[] = {
        {"GET " PATH " HTTP/1.1\r\nHost: localhost:10443\r\n\r\n", "localhost:10443", 404},
        {"GET " PATH " HTTP/1.1\r\nHost: policy_upstream\r\n\r\n", "policy_upstream", 400},
        {"GET " PATH " HTTP/1.0\r\n\r\n", "", 404},
        {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", NULL, 404},
        {"GET " PATH " HTTP/1.1\r\nHost: policy.provider.example\r\n\r\n", NULL, 404},
        {GOOD, NULL, 200},
    };
    struct asked asked;

    (void)state;
    serve_open(&asked);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct log_record record, access;

        asked_send(&asked, rows[i].request);
        assert_true(room_take_record(&asked.room, &record));
        if (rows[i].logged) {
            assert_int_equal(record.kind, LOG_RECORD_UNSERVED_HOST);
            assert_string_equal(record.server, rows[i].logged);
            assert_int_equal(record.status, rows[i].status);
            assert_non_null(strstr(asked.body, "a proxy must pass the Host"));
            assert_true(room_take_record(&asked.room, &access));
            record = access;
        }
        assert_int_equal(record.kind, LOG_RECORD_REQUEST);
        assert_int_equal(record.status, rows[i].status);
        assert_false(room_take_record(&asked.room, &record));
    }
    serve_close(&asked);
}

/* What the admin listener is asked for is no host's, and not in the access log. */
static void test_admin(void **state)
{
    struct log_record record;
    struct asked asked;

    (void)state;
    serve_open(&asked);
    asked.room.kind.serves = SERVES_ADMIN;
    asked_send(&asked, "GET /metrics?a HTTP/1.1\r\nHost: [::1]:9847\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 200 OK");
    assert_string_equal(asked.body, "/metrics\n");
    asked_send(&asked, GOOD);
    assert_string_equal(asked.body, PATH "\n");
    asked_send(&asked, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(asked.head, "HTTP/1.1 405 Method Not Allowed");
    assert_false(room_take_record(&asked.room, &record));
    serve_close(&asked);
}

/* A connection has one request, a proxy's has many, until a body or the drain ends it. */
static void test_keep_alive(void **state)
{
    static const struct {
        const char *request;
        bool keeps_alive, is_draining, is_last;
    } rows[] = {
        {GOOD, false, false, true},
        {GOOD, true, false, false},
        {GOOD, true, true, true},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na", true, false, true},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", true, false, true},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked asked;

        serve_open(&asked);
        asked.room.kind.keeps_alive = rows[i].keeps_alive;
        if (rows[i].is_draining)
            connections_drain(asked.room.connections, UINT64_MAX);
        asked_send(&asked, rows[i].request);
        if (asked.is_last != rows[i].is_last)
            fail_msg("row %zu: wanted %d", i, rows[i].is_last);
        serve_close(&asked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),       cmocka_unit_test(test_log),
        cmocka_unit_test(test_unserved_hosts), cmocka_unit_test(test_admin),
        cmocka_unit_test(test_keep_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
