/* SPDX-License-Identifier: MIT */
#include "daemon/worker/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* Words that stand in a label: lower case, no two the same. */
static void check_names(const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++) {
        assert_non_null(names[i]);
        assert_int_equal(strspn(names[i], "abcdefghijklmnopqrstuvwxyz_"), strlen(names[i]));
        assert_true(names[i][0] != '\0');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
}

static void test_names(void **state)
{
    const char *results[HANDSHAKE_RESULT_COUNT], *ends[END_REASON_COUNT],
        *reports[REPORT_RESULT_COUNT];

    (void)state;
    for (int i = 0; i < HANDSHAKE_RESULT_COUNT; i++)
        results[i] = handshake_result_name((enum handshake_result)i);
    for (int i = 0; i < END_REASON_COUNT; i++)
        ends[i] = end_reason_name((enum end_reason)i);
    for (int i = 0; i < REPORT_RESULT_COUNT; i++)
        reports[i] = report_result_name((enum report_result)i);
    check_names(reports, ARRAY_LEN(reports));
    check_names(results, ARRAY_LEN(results));
    check_names(ends, ARRAY_LEN(ends));
}

static void test_requests(void **state)
{
    static const struct {
        unsigned status;
        unsigned want; /* the code that it is counted as; 0: all others */
    } rows[] = {
        {0, 0},     {199, 0},   {200, 200}, {201, 0},   {400, 400}, {404, 404}, {405, 405},
        {413, 413}, {417, 417}, {421, 421}, {429, 429}, {503, 503}, {500, 0},   {65535, 0},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct metrics metrics = {0};
        bool good = true;

        metrics_count_request(&metrics, rows[i].status);
        for (size_t j = 0; j < METRICS_CODE_COUNT; j++)
            good = good && metrics.requests[j] == (metrics_codes[j] == rows[i].want);
        if (good)
            continue;
        print_error("row %zu: %u was not counted as %u\n", i, rows[i].status, rows[i].want);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
    assert_int_equal(metrics_codes[METRICS_CODE_COUNT - 1], 0);
}

/* Sets every counter to another number; it is a struct of nothing but counters. */
static void fill(struct metrics *metrics, uint64_t first)
{
    _Atomic uint64_t *counters = (_Atomic uint64_t *)metrics;

    for (size_t i = 0; i < sizeof(*metrics) / sizeof(*counters); i++)
        counters[i] = first + i;
}

static void test_add(void **state)
{
    struct metrics sum = {0}, one, other;
    _Atomic uint64_t *counters = (_Atomic uint64_t *)&sum;

    (void)state;
    fill(&one, 1000);
    fill(&other, UINT32_MAX);
    metrics_add(&sum, &one);
    metrics_add(&sum, &other);
    for (size_t i = 0; i < sizeof(sum) / sizeof(*counters); i++)
        assert_int_equal(counters[i], 1000 + i + UINT32_MAX + i);
    metrics_count(&sum.opened);
    assert_int_equal(sum.opened, one.opened + other.opened + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_add),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
