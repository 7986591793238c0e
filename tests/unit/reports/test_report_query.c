/* SPDX-License-Identifier: MIT */
#include "reports/report_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/report_database.h"
#include "support/stored.h"

static void test_entries(void **state)
{
    static const struct tls_failure failures[] = {
        {.result_type = "validation-failure", .receiving_host = "mx1.example.com", .n_sessions = 2},
        {.n_sessions = UNKNOWN_COUNT}};
    struct tls_policy policies[] = {stored_policy("example.com"), stored_policy("example.org"),
                                    stored_policy("example.com")};
    struct tls_report report = stored_report(policies, 3), later = report;
    struct report_meta dkim = stored_meta(REPORT_PROOF_DKIM), none = stored_meta(REPORT_PROOF_NONE);
    struct arena *arena = arena_new(0);
    struct report_entries entries;
    struct stored stored;
    struct err err;

    (void)state;
    policies[2].failures = failures;
    policies[2].n_failures = 2;
    policies[2].n_failed = 3;
    policies[2].n_successful = UNKNOWN_COUNT;
    policies[2].n_strings = 0;
    later.start_unix_s += 86400;
    stored_open(&stored);
    stored_add(&stored, &later, "{\"a\":1}", &none);
    stored_add(&stored, &report, "{\"a\":2}", &dkim);
    assert_int_equal(report_query_entries(stored.database, "example.com", STORED_DAY,
                                          STORED_DAY + 1, arena, &entries, &err),
                     0);
    assert_int_equal(entries.n, 4);
    assert_int_equal(entries.n_refused, 0);
    assert_int_equal(entries.list[0].day, STORED_DAY);
    assert_int_equal(entries.list[0].proof, REPORT_PROOF_DKIM);
    assert_string_equal(entries.list[0].reporter, "google.com");
    assert_string_equal(entries.list[0].policy_lines,
                        "version: STSv1\nmode: testing\nmx: mx1.example.com\nmax_age: 86400");
    assert_int_equal(entries.list[0].n_successful, 100);
    assert_int_equal(entries.list[0].n_failures, 0);
    assert_int_equal(entries.list[1].n_failures, 2);
    assert_null(entries.list[1].failures[0].result_type);
    assert_int_equal(entries.list[1].failures[0].n_sessions, UNKNOWN_COUNT);
    assert_string_equal(entries.list[1].failures[1].mx, "mx1.example.com");
    assert_int_equal(entries.list[1].n_successful, UNKNOWN_COUNT);
    assert_null(entries.list[1].policy_lines);
    assert_int_equal(entries.list[3].day, STORED_DAY + 1);
    assert_int_equal(entries.list[3].n_failures, 2);
    assert_int_equal(entries.list[3].proof, REPORT_PROOF_NONE);
    assert_int_equal(report_query_entries(stored.database, "example.com", STORED_DAY + 1,
                                          STORED_DAY + 1, arena, &entries, &err),
                     0);
    assert_int_equal(entries.n, 2);
    assert_int_equal(
        report_query_entries(stored.database, "example", 0, INT64_MAX, arena, &entries, &err), 0);
    assert_int_equal(entries.n, 0);
    arena_free(arena);
    stored_close(&stored);
}

static int visit_bytes(void *context, const struct raw_report *report)
{
    char *seen = context;

    snprintf(seen + strlen(seen), 64, "%.*s %s;", SLICE_ARG(report->bytes),
             report->domain ? report->domain : report->reason);
    return 0;
}

static int visit_no_more(void *context, const struct raw_report *report)
{
    (void)report;
    return err_set(context, ERR_LIMIT, "enough");
}

static size_t count_entries(const struct stored *stored)
{
    struct arena *arena = arena_new(0);
    struct report_entries entries;
    struct err err;

    assert_int_equal(report_query_entries(stored->database, "example.com", STORED_DAY, STORED_DAY,
                                          arena, &entries, &err),
                     0);
    arena_free(arena);
    return entries.n;
}

/* While somebody reads, others write, and what is read stays that of one moment. */
static void test_one_moment(void **state)
{
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored, other;
    struct err err;

    (void)state;
    stored_open(&stored);
    other = stored;
    assert_int_equal(report_database_open(stored.directory, &other.database, &err), 0);
    stored_add(&stored, &report, "{\"a\":1}", &meta);
    assert_int_equal(report_database_begin_reading(stored.database, &err), 0);
    assert_int_equal(count_entries(&stored), 1);
    stored_add(&other, &report, "{\"a\":2}", &meta);
    assert_int_equal(count_entries(&other), 2);
    assert_int_equal(count_entries(&stored), 1);
    report_database_roll_back(stored.database);
    assert_int_equal(count_entries(&stored), 2);
    report_database_close(other.database);
    stored_close(&stored);
}

static void test_raw(void **state)
{
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    enum report_outcome outcome;
    struct stored stored;
    struct err err;
    int64_t n_unreadable = 0;
    char seen[256] = "";

    (void)state;
    stored_open(&stored);
    stored_add(&stored, &report, "{\"a\": 1}", &meta);
    assert_int_equal(report_store_add_unreadable(stored.database, slice_of("<xml>"), "is no JSON",
                                                 &meta, &outcome, &err),
                     0);
    assert_int_equal(report_query_raw(stored.database, "example.com", visit_bytes, seen, &err), 0);
    assert_int_equal(report_query_raw(stored.database, "example.org", visit_bytes, seen, &err), 0);
    assert_int_equal(report_query_raw(stored.database, NULL, visit_bytes, seen, &err), 0);
    assert_string_equal(seen, "{\"a\": 1} example.com;<xml> is no JSON;");
    policy.domain = "example.foreign";
    assert_int_equal(stored_add(&stored, &report, "{}", &meta), REPORT_FOREIGN);
    assert_int_equal(report_query_count_unreadable(stored.database, &n_unreadable, &err), 0);
    assert_int_equal(n_unreadable, 1);
    assert_int_equal(report_query_raw(stored.database, NULL, visit_no_more, &err, &err), -1);
    assert_string_equal(err.msg, "enough");
    stored_close(&stored);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_entries),
                                              cmocka_unit_test(test_one_moment),
                                              cmocka_unit_test(test_raw)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
