/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/worker/log_record.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"

enum {
    NOW_UNIX_MS = 1234567,
};

static int64_t test_unix_ms(const struct clock *clock)
{
    (void)clock;
    return NOW_UNIX_MS;
}

static const struct clock test_clock = {.unix_ms = test_unix_ms};

static void count_call(void *context)
{
    ++*(unsigned *)context;
}

/* Pushes one record, known by its status; returns whether the ring has taken it. */
static bool put(struct log_ring *ring, const unsigned *n_notified, uint16_t status)
{
    struct log_record record = {.status = status};
    unsigned before = *n_notified;

    log_ring_push(ring, &record);
    return *n_notified > before;
}

static int take(struct log_ring *ring)
{
    const struct log_record *record = log_ring_peek(ring);
    int status = record ? record->status : -1;

    if (record)
        log_ring_release(ring);
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
        unsigned n_notified = 0, n_put = 0;
        struct log_ring *ring =
            log_ring_new(rows[i].capacity, &test_clock, count_call, &n_notified);

        while (n_put < 2000 && put(ring, &n_notified, (uint16_t)n_put))
            n_put++;
        if (n_put != rows[i].want)
            fail_msg("row %zu: wanted %u, seen %u", i, rows[i].want, n_put);
        log_ring_free(ring);
    }
    log_ring_free(NULL);
}

static void test_order_and_drops(void **state)
{
    unsigned n = 0;
    struct log_ring *ring = log_ring_new(2, &test_clock, count_call, &n);

    (void)state;
    assert_int_equal(take(ring), -1);
    for (uint16_t round = 0; round < 1000; round++) {
        assert_true(put(ring, &n, round));
        assert_true(put(ring, &n, (uint16_t)(round + 1)));
        assert_false(put(ring, &n, 9999));
        assert_false(put(ring, &n, 9999));
        assert_int_equal(log_ring_take_dropped(ring), 2);
        assert_int_equal(log_ring_take_dropped(ring), 0);
        assert_int_equal(take(ring), round);
        assert_int_equal(take(ring), round + 1);
        assert_int_equal(take(ring), -1);
    }
    log_ring_free(ring);
}

static void test_copied_and_stamped(void **state)
{
    struct log_record record = {.kind = LOG_RECORD_REQUEST, .peer = "peer", .at_unix_ms = 1};
    unsigned n = 0;
    struct log_ring *ring = log_ring_new(1, &test_clock, count_call, &n);
    const struct log_record *taken;

    (void)state;
    log_ring_push(ring, &record);
    assert_int_equal(n, 1);
    memset(&record, 0xff, sizeof(record));
    taken = log_ring_peek(ring);
    assert_non_null(taken);
    assert_ptr_equal(log_ring_peek(ring), taken);
    assert_string_equal(taken->peer, "peer");
    assert_int_equal(taken->kind, LOG_RECORD_REQUEST);
    assert_int_equal(taken->at_unix_ms, NOW_UNIX_MS);
    log_ring_release(ring);
    assert_null(log_ring_peek(ring));
    log_ring_free(ring);
}

enum {
    THREADED = 20000,
};

struct production {
    struct log_ring *ring;
    unsigned n_notified;
};

static void *produce(void *context)
{
    struct production *production = context;

    for (unsigned i = 0; i < THREADED; i++)
        put(production->ring, &production->n_notified, (uint16_t)i);
    return NULL;
}

/* One of each side in its own thread: what is taken is in order, and all is taken or counted. */
static void test_two_threads(void **state)
{
    struct production production = {0};
    struct log_ring *ring = log_ring_new(64, &test_clock, count_call, &production.n_notified);
    uint64_t n_taken = 0, n_dropped = 0;
    int last = -1;
    pthread_t producer;

    (void)state;
    production.ring = ring;
    assert_int_equal(pthread_create(&producer, NULL, produce, &production), 0);
    while (n_taken + n_dropped < THREADED) {
        int status = take(ring);

        n_dropped += log_ring_take_dropped(ring);
        if (status < 0)
            continue;
        assert_true(status > last);
        last = status;
        n_taken++;
    }
    pthread_join(producer, NULL);
    assert_int_equal(n_taken + n_dropped, THREADED);
    assert_int_equal(n_taken, production.n_notified);
    assert_int_equal(take(ring), -1);
    log_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_order_and_drops),
        cmocka_unit_test(test_copied_and_stamped),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
