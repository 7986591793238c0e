/* SPDX-License-Identifier: MIT */
#include "daemon/worker/connection_counts.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_total(void **state)
{
    struct connection_counts *counts = connection_counts_new(16);

    (void)state;
    assert_int_equal(connection_counts_total(counts), 0);
    assert_int_equal(connection_counts_add(counts), 1);
    assert_int_equal(connection_counts_add(counts), 2);
    connection_counts_remove(counts);
    assert_int_equal(connection_counts_total(counts), 1);
    connection_counts_free(counts);
    connection_counts_free(NULL);
}

static void test_borrow(void **state)
{
    struct connection_counts *counts = connection_counts_new(16);

    (void)state;
    assert_false(connection_counts_repay(counts));
    connection_counts_borrow(counts);
    connection_counts_borrow(counts);
    assert_true(connection_counts_repay(counts));
    assert_true(connection_counts_repay(counts));
    assert_false(connection_counts_repay(counts));
    connection_counts_free(counts);
}

/* Boundaries of the 64 bits that name a network are clients like others. */
static void test_clients_are_counted_apart(void **state)
{
    static const uint64_t networks[] = {0, 1, UINT32_MAX, (uint64_t)UINT32_MAX << 32, UINT64_MAX};
    struct connection_counts *counts = connection_counts_new(0);
    struct client_count *entered[ARRAY_LEN(networks)];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
        entered[i] = client_count_enter(counts, networks[i], 0);
        assert_non_null(entered[i]);
        assert_int_equal(client_count_total(entered[i]), 1);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(entered[i], entered[j]);
    }
    for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
        assert_ptr_equal(client_count_enter(counts, networks[i], 0), entered[i]);
        client_count_add(entered[i]);
        assert_int_equal(client_count_total(entered[i]), 3);
        client_count_remove(entered[i]);
        client_count_remove(entered[i]);
        assert_int_equal(client_count_total(entered[i]), 1);
    }
    connection_counts_free(counts);
}

enum {
    MANY = 10000,
};

/* As many clients as there may be connections: each has a place. */
static void test_many_clients(void **state)
{
    struct connection_counts *counts = connection_counts_new(MANY);
    struct client_count *entered[MANY];

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            entered[i] = client_count_enter(counts, i * 65536 + round, round);
            assert_non_null(entered[i]);
            assert_int_equal(client_count_total(entered[i]), 1);
        }
        for (size_t i = 0; i < MANY; i++)
            client_count_remove(entered[i]);
    }
    connection_counts_free(counts);
}

/* Beyond that some find none, and the places are good for others when they are left. */
static void test_too_many_clients(void **state)
{
    struct connection_counts *counts = connection_counts_new(0);
    struct client_count *entered[MANY];
    size_t n_without = 0;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        entered[i] = client_count_enter(counts, i, 0);
        n_without += entered[i] == NULL;
    }
    assert_in_range(n_without, MANY / 2, MANY - 100);
    for (size_t i = 0; i < MANY; i++)
        if (entered[i])
            client_count_remove(entered[i]);
    for (size_t i = 0; i < 100; i++)
        assert_non_null(client_count_enter(counts, MANY + i, 0));
    connection_counts_free(counts);
}

/* A connection evicted every `every_ms`; when is the client barred, and until when? */
static void test_strikes(void **state)
{
    static const struct {
        uint64_t start_ms, every_ms;
        unsigned count;
        uint64_t barred_until_ms; /* 0: it never is */
    } rows[] = {
        {1000, 0, 63, 0},
        {1000, 0, 64, 6000},
        {1000, 0, 100000, 6000},
        {1000, 1, 64, 6000},
        {0, 0, 64, 5000},
        {1000, 79, 64, 6000},  /* after 4,977 ms */
        {1000, 80, 64, 0},     /* the last after 5,040 ms: counted anew */
        {1000, 1000, 1000, 0}, /* once a second for long */
        {1ULL << 40, 0, 64, (1ULL << 40) + 5000},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct connection_counts *counts = connection_counts_new(0);
        uint64_t at = rows[i].start_ms, until = rows[i].barred_until_ms;
        struct client_count *client = client_count_enter(counts, 1, at);
        bool is_right;

        assert_false(client_count_is_barred(client, at));
        for (unsigned n = 0; n < rows[i].count; n++, at += rows[i].every_ms)
            client_count_strike(client, at);
        at -= rows[i].every_ms;
        is_right = until == 0 ? !client_count_is_barred(client, at)
                              : client_count_is_barred(client, at) &&
                                    client_count_is_barred(client, until - 1) &&
                                    !client_count_is_barred(client, until);
        if (!is_right) {
            print_error("row %zu: not barred until %llu ms\n", i, (unsigned long long)until);
            n_failed++;
        }
        connection_counts_free(counts);
    }
    assert_int_equal(n_failed, 0);
}

static void strike_often(struct client_count *client, uint64_t now_ms)
{
    for (unsigned i = 0; i < 64; i++)
        client_count_strike(client, now_ms);
}

/* Who closes all its connections to begin anew is still barred, whoever has come meanwhile. */
static void test_barred_without_connections(void **state)
{
    struct connection_counts *counts = connection_counts_new(0);
    struct client_count *client = client_count_enter(counts, 1, 1000);

    (void)state;
    strike_often(client, 1000);
    client_count_remove(client);
    for (uint64_t i = 2; i < MANY; i++) {
        struct client_count *other = client_count_enter(counts, i, 1000);

        if (other)
            client_count_remove(other);
    }
    client = client_count_enter(counts, 1, 5999);
    assert_true(client_count_is_barred(client, 5999));
    assert_false(client_count_is_barred(client, 6000));
    connection_counts_free(counts);
}

/* A worker that has read the clock a little earlier than another one forgets no strike. */
static void test_strike_from_the_future(void **state)
{
    struct connection_counts *counts = connection_counts_new(0);
    struct client_count *client = client_count_enter(counts, 1, 1000);

    (void)state;
    strike_often(client, 1000);
    client_count_strike(client, 999);
    assert_true(client_count_is_barred(client, 999));
    assert_true(client_count_is_barred(client, 5999));
    connection_counts_free(counts);
}

/* The place of a client whose strikes are over goes to another, without them. */
static void test_strikes_are_not_inherited(void **state)
{
    struct connection_counts *counts = connection_counts_new(0);

    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t at_ms = i * 5000;
        struct client_count *client = client_count_enter(counts, i, at_ms);

        assert_non_null(client);
        assert_false(client_count_is_barred(client, at_ms));
        strike_often(client, at_ms);
        assert_true(client_count_is_barred(client, at_ms));
        client_count_remove(client);
    }
    connection_counts_free(counts);
}

enum {
    THREADS = 4,
    ROUNDS = 20000,
    FEW = 50,
};

static void *enter_and_leave(void *context)
{
    struct connection_counts *counts = context;

    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct client_count *client = client_count_enter(counts, i % FEW, i);

        connection_counts_add(counts);
        client_count_strike(client, i);
        client_count_add(client);
        client_count_remove(client);
        client_count_remove(client);
        connection_counts_remove(counts);
    }
    return NULL;
}

/* Many workers at once: nothing is counted that has gone. */
static void test_threads(void **state)
{
    struct connection_counts *counts = connection_counts_new(0);
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, counts), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(connection_counts_total(counts), 0);
    for (uint64_t i = 0; i < FEW; i++)
        assert_int_equal(client_count_total(client_count_enter(counts, i, ROUNDS)), 1);
    connection_counts_free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_borrow),
        cmocka_unit_test(test_clients_are_counted_apart),
        cmocka_unit_test(test_many_clients),
        cmocka_unit_test(test_too_many_clients),
        cmocka_unit_test(test_strikes),
        cmocka_unit_test(test_barred_without_connections),
        cmocka_unit_test(test_strike_from_the_future),
        cmocka_unit_test(test_strikes_are_not_inherited),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
