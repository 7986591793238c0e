/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_record.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fixture.h"

/* Puts one event, known by its status, into the ring; false if it is full. */
static bool put(struct event_ring *ring, uint16_t status)
{
    struct event *event = event_ring_reserve(ring);

    if (!event)
        return false;
    event->status = status;
    event_ring_commit(ring);
    return true;
}

static int take(struct event_ring *ring)
{
    const struct event *event = event_ring_peek(ring);
    int status = event ? event->status : -1;

    if (event)
        event_ring_release(ring);
    return status;
}

static void test_capacity(void **state)
{
    static const struct {
        size_t capacity;
        unsigned want;
    } rows[] = {{0, 1}, {1, 1}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {1000, 1024}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct event_ring *ring = event_ring_new(rows[i].capacity);
        unsigned n_put = 0;

        while (n_put < 2000 && put(ring, (uint16_t)n_put))
            n_put++;
        if (n_put != rows[i].want)
            fail_msg("row %zu: wanted %u, seen %u", i, rows[i].want, n_put);
        event_ring_free(ring);
    }
    event_ring_free(NULL);
}

static void test_order_and_drops(void **state)
{
    struct event_ring *ring = event_ring_new(2);

    (void)state;
    assert_int_equal(take(ring), -1);
    for (uint16_t round = 0; round < 1000; round++) {
        assert_true(put(ring, round));
        assert_true(put(ring, (uint16_t)(round + 1)));
        assert_false(put(ring, 9999));
        assert_false(put(ring, 9999));
        assert_int_equal(event_ring_take_dropped(ring), 2);
        assert_int_equal(event_ring_take_dropped(ring), 0);
        assert_int_equal(take(ring), round);
        assert_int_equal(take(ring), round + 1);
        assert_int_equal(take(ring), -1);
    }
    event_ring_free(ring);
}

static void test_slot_is_zeroed_and_unseen(void **state)
{
    struct event_ring *ring = event_ring_new(1);
    struct event *slot = event_ring_reserve(ring), zero;

    (void)state;
    memset(slot, 0xff, sizeof(*slot));
    assert_null(event_ring_peek(ring));
    event_ring_commit(ring);
    assert_non_null(event_ring_peek(ring));
    event_ring_release(ring);
    slot = event_ring_reserve(ring);
    memset(&zero, 0, sizeof(zero));
    assert_memory_equal(slot, &zero, sizeof(zero));
    event_ring_free(ring);
}

enum {
    THREADED = 20000,
};

static void *produce(void *context)
{
    struct event_ring *ring = context;

    for (unsigned i = 0; i < THREADED; i++)
        put(ring, (uint16_t)i);
    return NULL;
}

/* One of each side in its own thread: what is taken is in order, and all is taken or counted. */
static void test_two_threads(void **state)
{
    struct event_ring *ring = event_ring_new(64);
    uint64_t n_taken = 0, n_dropped = 0;
    int last = -1;
    pthread_t producer;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    while (n_taken + n_dropped < THREADED) {
        int status = take(ring);

        n_dropped += event_ring_take_dropped(ring);
        if (status < 0)
            continue;
        assert_true(status > last);
        last = status;
        n_taken++;
    }
    pthread_join(producer, NULL);
    assert_int_equal(n_taken + n_dropped, THREADED);
    assert_int_equal(take(ring), -1);
    event_ring_free(ring);
}

static void test_set_text(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } rows[] = {
        {NULL, 0, ""},          {"", 0, ""},      {"abc", 3, "abc"}, {"abcd", 4, "abc"},
        {"abcdefgh", 8, "abc"}, {"a\0c", 3, "a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buffer[4] = {'x', 'x', 'x', 'x'};

        event_set_text(buffer, sizeof(buffer), (struct slice){rows[i].text, rows[i].len});
        if (strcmp(buffer, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', seen '%s'", i, rows[i].want, buffer);
    }
}

static const struct {
    struct event event;
    const char *text, *json;
} printed[] = {
    {{.at_unix_ms = 0},
     "1970-01-01T00:00:00.000Z unix '' '' '' 0 0 plain ''\n",
     "{\"time\": \"1970-01-01T00:00:00.000Z\", \"peer\": null, \"server\": \"\", \"method\": \"\", "
     "\"path\": \"\", \"status\": 0, \"bytes\": 0, \"tls\": null, \"agent\": \"\"}\n"},
    {{.at_unix_ms = 1795453200007,
      .peer = "[2001:db8::1]:4711",
      .server = "mta-sts.example.com",
      .method = "GET",
      .path = "/.well-known/mta-sts.txt",
      .agent = "Google-SMTP-STS",
      .tls_version = "TLSv1.3",
      .body_len = 75,
      .status = 200},
     "2026-11-23T17:00:00.007Z [2001:db8::1]:4711 'mta-sts.example.com' 'GET' "
     "'/.well-known/mta-sts.txt' 200 75 TLSv1.3 'Google-SMTP-STS'\n",
     "{\"time\": \"2026-11-23T17:00:00.007Z\", \"peer\": \"[2001:db8::1]:4711\", \"server\": "
     "\"mta-sts.example.com\", \"method\": \"GET\", \"path\": \"/.well-known/mta-sts.txt\", "
     "\"status\": 200, \"bytes\": 75, \"tls\": \"TLSv1.3\", \"agent\": \"Google-SMTP-STS\"}\n"},
    {{.at_unix_ms = 253402300799999,
      .server = "a\nb",
      .method = "\x1b[2J",
      .path = "/'\"\\",
      .agent = "caf\xc3\xa9 \xff",
      .body_len = UINT32_MAX,
      .status = UINT16_MAX},
     "9999-12-31T23:59:59.999Z unix 'a\\x0ab' '\\x1b[2J' '/\\'\"\\\\' 65535 4294967295 plain "
     "'caf\\xc3\\xa9 \\xff'\n",
     "{\"time\": \"9999-12-31T23:59:59.999Z\", \"peer\": null, \"server\": \"a\\u000ab\", "
     "\"method\": \"\\u001b[2J\", \"path\": \"/'\\\"\\\\\", \"status\": 65535, \"bytes\": "
     "4294967295, \"tls\": null, \"agent\": \"caf\xc3\xa9 \\ufffd\"}\n"},
};

typedef void printer(const struct event *event, FILE *out);

static bool prints(printer *print, size_t row, const char *want)
{
    char *seen = NULL, what[16];
    size_t len;
    FILE *out = open_memstream(&seen, &len);
    bool good;

    snprintf(what, sizeof(what), "row %zu", row);
    print(&printed[row].event, out);
    fclose(out);
    good = fixture_equal(what, want, seen);
    free(seen);
    return good;
}

static void test_print(void **state)
{
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(printed); i++) {
        n_failed += !prints(event_print_text, i, printed[i].text);
        n_failed += !prints(event_print_json, i, printed[i].json);
    }
    assert_int_equal(n_failed, 0);
}

/* The longest texts, each byte of which is escaped, are one line that a pipe takes at once. */
static void check_longest(printer *print, int byte)
{
    struct event event = {
        .at_unix_ms = 253402300799999, .tls_version = "TLSv1.3", .body_len = UINT32_MAX};
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    event.status = UINT16_MAX;
    memset(event.peer, '1', sizeof(event.peer) - 1);
    memset(event.server, byte, sizeof(event.server) - 1);
    memset(event.method, byte, sizeof(event.method) - 1);
    memset(event.path, byte, sizeof(event.path) - 1);
    memset(event.agent, byte, sizeof(event.agent) - 1);
    print(&event, out);
    fclose(out);
    assert_int_equal(strcspn(seen, "\n"), len - 1);
    assert_null(strstr(seen, "..."));
    assert_in_range(len, 4 * sizeof(event.server), PIPE_BUF);
    free(seen);
}

static void test_longest(void **state)
{
    (void)state;
    check_longest(event_print_text, '\n');
    check_longest(event_print_text, 0xff);
    check_longest(event_print_json, '\n');
    check_longest(event_print_json, 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_order_and_drops),
        cmocka_unit_test(test_slot_is_zeroed_and_unseen),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_set_text),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
