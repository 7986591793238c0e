/* SPDX-License-Identifier: MIT */
#include "reports/session_days.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/report_query.h"
#include "reports/report_tally.h"

static const struct entry_failure overlapping[] = {
    {.result_type = "certificate-expired", .n_sessions = 3},
    {.result_type = "sts-policy-fetch-error", .n_sessions = 3},
    {.result_type = "no-such-type", .n_sessions = UNKNOWN_COUNT},
};

#define STS(on_day, who, ok, bad, list, n)                                                      \
    {                                                                                           \
        .day = (on_day), .reporter = (who), .proof = REPORT_PROOF_FILE, .type = TLS_POLICY_STS, \
        .n_successful = (ok), .n_failed = (bad), .failures = (list), .n_failures = (n)          \
    }

static struct session_days days_of(const struct report_entry *list, size_t n, struct arena *arena)
{
    const struct report_entries entries = {.list = list, .n = n};
    struct report_tally tally;

    report_tally_make(&entries, NULL, 0, NULL, arena, &tally);
    return session_days_make(&entries, &tally, arena);
}

/* A failed session is one, however many ways its reporter names; what nothing names is unknown. */
static void test_failures(void **state)
{
    static const struct {
        struct report_entry entry;
        int64_t n_failed[SESSION_CLASSES];
    } rows[] = {
        {STS(1, "a", 5, 0, NULL, 0), {0}},
        {STS(1, "a", 5, 4, NULL, 0), {[RESULT_UNKNOWN] = 4}},
        {STS(1, "a", 5, 3, overlapping, 2), {[RESULT_NEGOTIATION] = 3}},
        {STS(1, "a", 5, 4, overlapping, 2), {[RESULT_NEGOTIATION] = 3, [RESULT_POLICY_HOST] = 1}},
        {STS(1, "a", 5, 9, overlapping, 2),
         {[RESULT_NEGOTIATION] = 3, [RESULT_POLICY_HOST] = 3, [RESULT_UNKNOWN] = 3}},
        {STS(1, "a", 5, UNKNOWN_COUNT, overlapping, 3),
         {[RESULT_NEGOTIATION] = 3, [RESULT_POLICY_HOST] = 3, [RESULT_UNKNOWN] = 1}},
        {STS(1, "a", UNKNOWN_COUNT, INT64_MAX, overlapping, 1),
         {[RESULT_NEGOTIATION] = 3, [RESULT_UNKNOWN] = INT64_MAX - 3}},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct session_days days = days_of(&rows[i].entry, 1, arena);

        if (days.n != 1 ||
            memcmp(days.list[0].counts.n_failed, rows[i].n_failed, sizeof(rows[i].n_failed)) != 0)
            fail_msg("row %zu", i);
    }
    arena_free(arena);
}

/* One for each day and reporter; DANE of the same sessions and senders without a policy do not
 * count, but for those that could not fetch it. */
static void test_days(void **state)
{
    static const struct report_entry list[] = {
        STS(1, "a.example", 5, 0, NULL, 0),
        STS(1, "b.example", 7, 0, NULL, 0),
        STS(1, "A.example", INT64_MAX, 0, NULL, 0),
        {.day = 1, .reporter = "a.example", .type = TLS_POLICY_STS, .n_successful = 9},
        {.day = 2, .reporter = "b.example", .type = TLS_POLICY_TLSA, .n_successful = 7},
        {.day = 2, .reporter = "b.example", .type = TLS_POLICY_NONE, .n_successful = 7},
        {.day = 3,
         .reporter = "b.example",
         .type = TLS_POLICY_NONE,
         .n_successful = 7,
         .n_failed = 3,
         .failures = overlapping + 1,
         .n_failures = 1},
    };
    struct arena *arena = arena_new(0);
    struct session_days days = days_of(list, ARRAY_LEN(list), arena);
    int64_t sum = 0;

    (void)state;
    assert_int_equal(days.n, 4);
    for (size_t i = 0; i + 1 < days.n; i++)
        assert_true(days.list[i].day <= days.list[i + 1].day);
    for (size_t i = 0; i < 3; i++)
        sum |= days.list[i].counts.n_successful;
    assert_true(sum > 0);
    assert_int_equal(days.list[0].counts.n_successful, INT64_MAX);
    assert_int_equal(days.list[3].day, 3);
    assert_int_equal(days.list[3].counts.n_successful, 0);
    assert_int_equal(days.list[3].counts.n_failed[RESULT_POLICY_HOST], 3);
    assert_int_equal(days_of(list, 0, arena).n, 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_days)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
