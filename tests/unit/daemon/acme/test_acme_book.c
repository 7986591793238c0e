/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_book.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/acme/acme_plan.h"
#include "lib/base/slice.h"

enum {
    NOW = 1700000000,
    DAY_S = 24 * 60 * 60,
};

static const char *const names[] = {"mta-sts.a.example", "mta-sts.b.example", "mta-sts.c.example"};

static struct acme_plan *plan_new(void)
{
    const struct acme_plan_options options = {.orders_per_hour = 3, .seed = 1};
    struct acme_plan *plan = acme_plan_new(&options);

    acme_plan_set_hosts(plan, names, ARRAY_LEN(names), NOW);
    return plan;
}

static char *print_book(const struct acme_plan *plan)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    acme_book_print(plan, NOW, out);
    fclose(out);
    return text;
}

#define BOOK                                                            \
    "# mta-stsd orders 1\n"                                             \
    "order 1699999990\n"                                                \
    "order 1699999999\n"                                                \
    "hold 1700000060\n"                                                 \
    "host mta-sts.a.example waiting 3 1700000100 no address: 'x'\n"     \
    "host mta-sts.b.example untimely 1 1700080000 the clock is wrong\n" \
    "host mta-sts.c.example paused 1 1700086400 open https://ca.example/?a=b\n"

static void test_what_is_printed_is_parsed(void **state)
{
    struct acme_plan *plan = plan_new();
    const struct acme_host *host;
    char *text;

    (void)state;
    assert_int_equal(acme_book_parse(slice_of(BOOK), plan, NOW), 0);
    host = acme_plan_host(plan, 0);
    assert_int_equal(host->obstacle, ACME_NOT_READY);
    assert_int_equal(host->n_failures, 3);
    assert_int_equal(host->begin_unix_s, 1700000100);
    assert_string_equal(host->reason, "no address: 'x'");
    assert_int_equal(acme_plan_state(plan, 1, NOW), ACME_FAILING);
    assert_int_equal(acme_plan_state(plan, 2, NOW), ACME_PAUSED);
    assert_int_equal(acme_plan_held_until(plan), 1700000060);
    text = print_book(plan);
    assert_string_equal(text, BOOK);
    free(text);
    acme_plan_free(plan);
}

static void test_what_is_over_is_not_printed(void **state)
{
    struct acme_plan *plan = plan_new();
    char *text;

    (void)state;
    acme_plan_order(plan, NOW - 60 * 60);
    acme_plan_restore_hold(plan, NOW);
    text = print_book(plan);
    assert_string_equal(text, "# mta-stsd orders 1\n");
    free(text);
    acme_plan_free(plan);
}

static void test_damaged_lines(void **state)
{
    static const struct {
        const char *text;
        size_t n_bad;
    } rows[] = {
        {"", 0},
        {"\n\n# a remark", 0},
        {"host mta-sts.gone.example failing 1 1700000000 no\n", 0},
        {"host mta-sts.a.example failing 1 1700000000 ", 0},
        {"host mta-sts.a.example disturbed 1 1700000000 ", 0},
        {"host mta-sts.a.example failing 1 1700000000", 0},
        {"host mta-sts.a.example failing 1 17x", 1},
        {"host mta-sts.a.example failing 1", 1},
        {"host mta-sts.a.example failing -1 1700000000", 1},
        {"host mta-sts.a.example failing 1000001 1700000000", 1},
        {"host mta-sts.a.example none 1 1700000000", 1},
        {"host mta-sts.a.example sleeping 1 1700000000", 1},
        {"host", 1},
        {"order\n", 1},
        {"order 1x\n", 1},
        {"order 99999999999999999999\nhold x\n", 2},
        {"else 1\n", 1},
        {"order 1699999990\nor", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct acme_plan *plan = plan_new();
        size_t n_bad = acme_book_parse(slice_of(rows[i].text), plan, NOW);

        if (n_bad != rows[i].n_bad)
            fail_msg("row %zu: %zu bad lines, not %zu", i, n_bad, rows[i].n_bad);
        acme_plan_free(plan);
    }
}

/* A clock that was years ahead must not stop orders for years. */
static void test_times_ahead(void **state)
{
    struct acme_plan *plan = plan_new();

    (void)state;
    acme_book_parse(slice_of("hold 1800000000\n"
                             "host mta-sts.a.example failing 1 9223372036854775807 no\n"),
                    plan, NOW);
    assert_true(acme_plan_held_until(plan) <= NOW + 2 * DAY_S);
    assert_true(acme_plan_host(plan, 0)->begin_unix_s <= NOW + 2 * DAY_S);
    acme_plan_free(plan);
}

/* The rate holds over a restart, whatever the file says. */
static void test_too_many_orders(void **state)
{
    struct acme_plan *plan = plan_new();
    size_t hosts[3];
    int64_t wait_s;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        acme_plan_see(plan, i, 0, 0, false);
    acme_book_parse(slice_of("order 1699999990\norder 1699999991\norder 1699999992\n"
                             "order 1699999993\n"),
                    plan, NOW);
    assert_int_equal(acme_plan_pick(plan, NOW, 3, hosts, &wait_s), 0);
    assert_int_equal(wait_s, 3600 - 9);
    acme_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_printed_is_parsed),
        cmocka_unit_test(test_what_is_over_is_not_printed),
        cmocka_unit_test(test_damaged_lines),
        cmocka_unit_test(test_times_ahead),
        cmocka_unit_test(test_too_many_orders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
