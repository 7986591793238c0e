/* SPDX-License-Identifier: MIT */
#include "reports/report_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/report_query.h"

#define NOW "mx: mx1.example.com\nmx: mx2.example.com"
#define EARLIER "mx: mx1.example.com"
#define MOVED "mx: mx1.example.com\nmx: old.example.net"

static const struct slice mx_now[] = {SLICE_BYTES("mx1.example.com"),
                                      SLICE_BYTES("mx2.example.com")};

static struct report_tally tally_of(const struct report_entry *list, size_t n, struct arena *arena)
{
    struct report_entries entries = {.list = list, .n = n, .n_refused = 4};
    struct report_tally tally;

    report_tally_make(&entries, mx_now, ARRAY_LEN(mx_now), NULL, arena, &tally);
    return tally;
}

/* Microsoft tells of each session as sts and as tlsa; and a name that is proven is another one. */
static void test_reporters(void **state)
{
    static const struct report_entry list[] = {
        {.day = 1,
         .reporter = "a.example",
         .proof = REPORT_PROOF_NONE,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 500},
        {.day = 1,
         .reporter = "a.example",
         .proof = REPORT_PROOF_FILE,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 7},
        {.day = 1,
         .reporter = "a.example",
         .proof = REPORT_PROOF_FILE,
         .type = TLS_POLICY_TLSA,
         .n_successful = 7},
        {.day = 2,
         .reporter = "A.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_NONE,
         .n_successful = 9},
        {.day = 3,
         .reporter = "b.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = EARLIER,
         .n_successful = 1,
         .is_conflict = true},
        {.day = 4,
         .reporter = "b.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 1},
        {.day = 4,
         .reporter = "c.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = UNKNOWN_COUNT,
         .n_failed = UNKNOWN_COUNT},
        {.day = 5,
         .reporter = "d.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = MOVED,
         .n_successful = 50},
        {.day = 5,
         .reporter = "d.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = "mode: none\n" NOW,
         .n_successful = 50},
    };
    struct arena *arena = arena_new(0);
    struct report_tally tally = tally_of(list, ARRAY_LEN(list), arena);

    (void)state;
    assert_int_equal(tally.n_reporters, 5);
    assert_int_equal(tally.n_entries, 9);
    assert_int_equal(tally.n_conflicts, 1);
    assert_int_equal(tally.n_refused, 4);
    assert_int_equal(tally.n_failures, 0);
    assert_string_equal(tally.reporters[0]->name, "a.example");
    assert_int_equal(tally.reporters[0]->proof, REPORT_PROOF_DKIM);
    assert_int_equal(tally.reporters[0]->n_successful, 7);
    assert_int_equal(tally.reporters[0]->n_without_policy, 9);
    assert_int_equal(tally.reporters[0]->first_day, 1);
    assert_int_equal(tally.reporters[0]->last_day, 2);
    assert_int_equal(tally.reporters[0]->last_clean_day, 1);
    assert_false(tally.reporters[0]->is_echo);
    assert_string_equal(tally.reporters[1]->name, "b.example");
    assert_int_equal(tally.reporters[1]->n_successful, 2);
    assert_true(tally.reporters[1]->is_echo);
    assert_string_equal(tally.reporters[2]->name, "c.example");
    assert_int_equal(tally.reporters[2]->n_successful, 0);
    assert_true(tally.reporters[2]->has_unknown_counts);
    assert_int_equal(tally.reporters[2]->last_clean_day, TALLY_NO_DAY);
    assert_string_equal(tally.reporters[3]->name, "d.example"); /* under another policy */
    assert_int_equal(tally.reporters[3]->n_successful, 0);
    assert_int_equal(tally.reporters[3]->n_other_policy, 50);
    assert_int_equal(tally.reporters[4]->proof, REPORT_PROOF_NONE);
    assert_int_equal(tally.reporters[4]->n_successful, 500);
    arena_free(arena);
}

/* One entry with one or two failures: how many sessions failed, in which class, and whether the
 * first failure is cured by now. */
static void test_failures(void **state)
{
    enum { N = RESULT_NEGOTIATION, H = RESULT_POLICY_HOST, D = RESULT_DANE, U = RESULT_UNKNOWN };
    static const struct {
        const char *policy;
        int64_t n_failed;
        struct entry_failure failures[2];
        size_t n_failures;
        int64_t n_counted, by_class[TALLY_CLASSES];
        bool is_cured;
    } rows[] = {
        {NOW, 0, {{0}}, 0, 0, {0}, false},
        {NOW, 5, {{.result_type = "certificate-expired", .n_sessions = 5}}, 1, 5, {[N] = 5}, false},
        /* one session in two ways, as Mail.ru reports it */
        {NOW,
         1,
         {{.result_type = "certificate-expired", .n_sessions = 1},
          {.result_type = "sts-policy-fetch-error", .n_sessions = 1}},
         2,
         1,
         {[N] = 1, [H] = 1},
         false},
        {NOW,
         3,
         {{.result_type = "validation-failure", .n_sessions = 2},
          {.result_type = "tlsa-invalid", .n_sessions = 1}},
         2,
         3,
         {[N] = 2, [D] = 1},
         false},
        /* counts that are not said: of the failure, of the sums, of both */
        {NOW,
         4,
         {{.result_type = "validation-failure", .n_sessions = UNKNOWN_COUNT}},
         1,
         4,
         {[N] = 4},
         false},
        {NOW,
         UNKNOWN_COUNT,
         {{.result_type = "validation-failure", .n_sessions = 6}},
         1,
         6,
         {[N] = 6},
         false},
        {NOW,
         UNKNOWN_COUNT,
         {{.result_type = "validation-failure", .n_sessions = UNKNOWN_COUNT}},
         1,
         1,
         {[N] = 1},
         false},
        /* failures that nobody describes, as Halon reports them */
        {NOW, 3, {{0}}, 0, 3, {[U] = 3}, false},
        /* mx2 was not in the policy, and is now; mx1 always was */
        {EARLIER,
         2,
         {{.result_type = "validation-failure", .mx = "mx2.example.com", .n_sessions = 2}},
         1,
         0,
         {0},
         true},
        {EARLIER,
         2,
         {{.result_type = "certificate-expired", .mx = "mx1.example.com", .n_sessions = 2}},
         1,
         2,
         {[N] = 2},
         false},
        {EARLIER, 2, {{.result_type = "validation-failure", .n_sessions = 2}}, 1, 0, {0}, true},
        {EARLIER,
         2,
         {{.result_type = "starttls-not-supported", .n_sessions = 2}},
         1,
         2,
         {[N] = 2},
         false},
        /* a host that was in the policy, and left it; one that never was */
        {MOVED,
         2,
         {{.result_type = "certificate-expired", .mx = "old.example.net", .n_sessions = 2}},
         1,
         0,
         {0},
         true},
        {NOW,
         2,
         {{.result_type = "validation-failure", .mx = "mx3.example.com", .n_sessions = 2}},
         1,
         2,
         {[N] = 2},
         false},
        {NULL, 2, {{.result_type = "validation-failure", .n_sessions = 2}}, 1, 2, {[N] = 2}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct report_entry entry = {.day = 1,
                                     .reporter = "a.example",
                                     .proof = REPORT_PROOF_DKIM,
                                     .type = TLS_POLICY_STS,
                                     .policy_lines = rows[i].policy,
                                     .n_failed = rows[i].n_failed,
                                     .failures = rows[i].failures,
                                     .n_failures = rows[i].n_failures};
        struct report_tally tally = tally_of(&entry, 1, arena);
        const struct reporter_tally *reporter = tally.reporters[0];

        if (reporter->n_failed != rows[i].n_counted)
            fail_msg("row %zu: expected %d failed, found %d", i, (int)rows[i].n_counted,
                     (int)reporter->n_failed);
        for (size_t class = 0; class < TALLY_CLASSES; class ++)
            if (reporter->n_failed_by_class[class] != rows[i].by_class[class])
                fail_msg("row %zu, class %zu: expected %d, found %d", i, class,
                         (int)rows[i].by_class[class], (int)reporter->n_failed_by_class[class]);
        if (rows[i].n_failures > 0)
            assert_int_equal(tally.failures[0]->is_cured, rows[i].is_cured);
        arena_free(arena);
    }
}

/* The same failure on several days is one; a sender may tell of the fetch under no-policy-found. */
static void test_days(void **state)
{
    static const struct entry_failure fetch = {.result_type = "sts-policy-fetch-error",
                                               .n_sessions = 2},
                                      expired = {.result_type = "certificate-expired",
                                                 .mx = "mx1.example.com",
                                                 .reason = "on 1 March",
                                                 .n_sessions = 3};
    static const struct report_entry list[] = {
        {.day = 1,
         .reporter = "a.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_NONE,
         .n_successful = 9,
         .n_failed = 2,
         .failures = &fetch,
         .n_failures = 1},
        {.day = 2,
         .reporter = "a.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 5,
         .n_failed = 3,
         .failures = &expired,
         .n_failures = 1},
        {.day = 4,
         .reporter = "a.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 5,
         .n_failed = 3,
         .failures = &expired,
         .n_failures = 1},
        {.day = 5,
         .reporter = "a.example",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 5},
    };
    struct arena *arena = arena_new(0);
    struct report_tally tally = tally_of(list, ARRAY_LEN(list), arena);

    (void)state;
    assert_int_equal(tally.n_failures, 2);
    assert_int_equal(tally.failures[0]->class, RESULT_POLICY_HOST);
    assert_int_equal(tally.failures[0]->n_sessions, 2);
    assert_int_equal(tally.failures[1]->n_sessions, 6);
    assert_int_equal(tally.failures[1]->first_day, 2);
    assert_int_equal(tally.failures[1]->last_day, 4);
    assert_string_equal(tally.failures[1]->reason, "on 1 March");
    assert_int_equal(tally.reporters[0]->last_clean_day, 5);
    assert_int_equal(tally.reporters[0]->last_failed_day[RESULT_NEGOTIATION], 4);
    assert_int_equal(tally.reporters[0]->last_failed_day[RESULT_POLICY_HOST], 1);
    assert_int_equal(tally.reporters[0]->last_failed_day[RESULT_UNKNOWN], TALLY_NO_DAY);
    arena_free(arena);
}

/* Invented names are bounded, and sums do not overflow. */
static void test_bounds(void **state)
{
    enum { N_NAMES = 1500 };
    static char names[N_NAMES][32];
    static struct report_entry list[N_NAMES + 1];
    struct arena *arena = arena_new(0);
    struct report_tally tally;

    (void)state;
    for (int i = 0; i < N_NAMES; i++) {
        snprintf(names[i], sizeof(names[i]), "%d.example", i);
        list[i] = (struct report_entry){.day = 1,
                                        .reporter = names[i],
                                        .type = TLS_POLICY_STS,
                                        .policy_lines = NOW,
                                        .n_successful = INT64_MAX};
    }
    list[N_NAMES] = list[0];
    list[N_NAMES].proof = REPORT_PROOF_DKIM;
    tally = tally_of(list, N_NAMES + 1, arena);
    assert_int_equal(tally.n_reporters, 1001);
    assert_int_equal(tally.reporters[0]->proof, REPORT_PROOF_DKIM);
    assert_int_equal(tally.reporters[1]->n_successful, INT64_MAX);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reporters), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_days), cmocka_unit_test(test_bounds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
