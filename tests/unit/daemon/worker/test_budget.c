/* SPDX-License-Identifier: MIT */
#include "daemon/worker/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_sum(void **state)
{
    struct budget *budget = budget_new();
    struct budget_share a = {0}, b = {0};

    (void)state;
    budget_set_max(budget, 100);
    budget_hold(budget, &a, 60, 0);
    budget_hold(budget, &b, 40, 0);
    assert_int_equal(budget_held(budget), 100);
    assert_false(budget_is_exceeded(budget));
    budget_hold(budget, &b, 41, 0);
    assert_true(budget_is_exceeded(budget));
    budget_hold(budget, &a, 1, 0);
    assert_int_equal(budget_held(budget), 42);
    budget_pin(budget, &a);
    assert_int_equal(budget_held(budget), 42);
    budget_release(budget, &a);
    budget_release(budget, &b);
    budget_release(budget, &b);
    assert_int_equal(budget_held(budget), 0);
    budget_set_max(budget, 0);
    assert_false(budget_is_exceeded(budget));
    budget_free(budget);
}

/* Holds, in this order, what each row says; then the shares are evicted one after the other. */
static void test_order_of_eviction(void **state)
{
    static const struct {
        const char *name;
        size_t held[4];
        const char *order; /* indices of `held` */
    } rows[] = {
        {"nothing", {0, 0, 0, 0}, "0123"},
        {"the largest goes first", {1, 1000, 100, 10}, "1230"},
        {"of one class, too", {64, 127, 65, 64}, "1203"},
        {"a class ends at a power of two, and two of one class weigh more",
         {127, 128, 255, 256},
         "2310"},
        {"the largest number", {SIZE_MAX / 8, 1, SIZE_MAX / 8, SIZE_MAX / 2}, "3021"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct budget *budget = budget_new();
        struct budget_share shares[4] = {{0}}, *share;
        char order[5] = "";

        for (size_t j = 0; j < ARRAY_LEN(shares); j++)
            budget_hold(budget, &shares[j], rows[i].held[j], 0);
        for (size_t j = 0; (share = budget_victim(budget, 0)) && j < ARRAY_LEN(shares); j++) {
            order[j] = (char)('0' + (share - shares));
            budget_release(budget, share);
        }
        if (strcmp(order, rows[i].order) != 0) {
            print_error("row %zu (%s): evicted in the order %s, wanted %s\n", i, rows[i].name,
                        order, rows[i].order);
            n_failed++;
        }
        assert_null(budget_victim(budget, 0));
        budget_free(budget);
    }
    assert_int_equal(n_failed, 0);
}

static void test_age_begins_with_the_class(void **state)
{
    struct budget *budget = budget_new();
    struct budget_share a = {0}, b = {0};

    (void)state;
    budget_hold(budget, &a, 70, 0);
    budget_hold(budget, &b, 70, 0);
    budget_hold(budget, &a, 100, 0); /* of the same class: still the older of the two */
    assert_ptr_equal(budget_victim(budget, 0), &a);
    budget_hold(budget, &a, 10, 0);
    assert_ptr_equal(budget_victim(budget, 0), &b);
    budget_hold(budget, &a, 70, 0);
    assert_ptr_equal(budget_victim(budget, 0), &b);
    budget_release(budget, &a);
    budget_release(budget, &b);
    budget_free(budget);
}

/* Of two shares, held since then, which goes at 10,000 ms? */
static void test_weight(void **state)
{
    static const struct {
        const char *name;
        size_t bytes[2];
        uint64_t since_ms[2];
        size_t n_of_client[2]; /* 0: no client */
        int victim;
    } rows[] = {
        {"the larger of the same age", {10, 1000}, {5000, 5000}, {1, 1}, 1},
        {"a fresh handshake stays", {20 * 1024, 72 * 1024}, {5000, 9900}, {0, 0}, 0},
        {"an old handshake goes", {20 * 1024, 72 * 1024}, {5000, 6000}, {1, 0}, 1},
        {"both fresh", {20 * 1024, 72 * 1024}, {10000, 10000}, {0, 1}, 1},
        {"the first of a class, if alone from its source, stays",
         {70, 70},
         {9000, 9300},
         {1, 3},
         1},
        {"one of a source goes after many", {20 * 1024, 72 * 1024}, {9500, 9500}, {16, 1}, 0},
        {"no client is as one", {20 * 1024, 72 * 1024}, {9500, 9500}, {2, 0}, 1},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct budget *budget = budget_new();
        struct budget_share shares[2] = {{0}};
        const struct budget_share *victim;

        for (size_t j = 0; j < ARRAY_LEN(shares); j++) {
            if (rows[i].n_of_client[j] > 0)
                shares[j].n_of_client = &rows[i].n_of_client[j];
            budget_hold(budget, &shares[j], rows[i].bytes[j], rows[i].since_ms[j]);
        }
        victim = budget_victim(budget, 10000);
        if (victim != &shares[rows[i].victim]) {
            print_error("row %zu (%s): share %d goes\n", i, rows[i].name, (int)(victim - shares));
            n_failed++;
        }
        for (size_t j = 0; j < ARRAY_LEN(shares); j++)
            budget_release(budget, &shares[j]);
        budget_free(budget);
    }
    assert_int_equal(n_failed, 0);
}

/* Small ones go for a larger and older one if there are many of them. */
static void test_one_beside_many(void **state)
{
    enum { N_MANY = 100 };
    struct budget *budget = budget_new();
    struct budget_share one = {0}, many[N_MANY] = {{0}};

    (void)state;
    budget_hold(budget, &one, 52, 9000);
    for (size_t i = 0; i < N_MANY; i++)
        budget_hold(budget, &many[i], 30, 9900);
    assert_ptr_equal(budget_victim(budget, 10000), &many[0]);
    for (size_t i = 0; i < N_MANY - 1; i++)
        budget_pin(budget, &many[i]);
    assert_ptr_equal(budget_victim(budget, 10000), &one);
    for (size_t i = 0; i < N_MANY; i++)
        budget_release(budget, &many[i]);
    budget_release(budget, &one);
    assert_int_equal(budget_held(budget), 0);
    budget_free(budget);
}

static void test_pinned(void **state)
{
    struct budget *budget = budget_new();
    struct budget_share a = {0}, b = {0};

    (void)state;
    budget_hold(budget, &a, 1000, 0);
    budget_hold(budget, &b, 1, 0);
    budget_pin(budget, &a);
    budget_pin(budget, &a);
    assert_ptr_equal(budget_victim(budget, 0), &b);
    budget_pin(budget, &b);
    assert_null(budget_victim(budget, 0));
    budget_hold(budget, &a, 2, 0);
    assert_ptr_equal(budget_victim(budget, 0), &a);
    budget_release(budget, &a);
    budget_release(budget, &b);
    budget_free(budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_order_of_eviction),
        cmocka_unit_test(test_age_begins_with_the_class),
        cmocka_unit_test(test_weight),
        cmocka_unit_test(test_one_beside_many),
        cmocka_unit_test(test_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
