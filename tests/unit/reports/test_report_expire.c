/* SPDX-License-Identifier: MIT */
#include "reports/report_expire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "reports/report_database.h"
#include "reports/report_verdict.h"
#include "support/stored.h"

#define DAYS(n) (INT64_C(86400) * (n))

/* A report of each of the last `n` days, with a policy of its own, and something unreadable. */
static void add_days(struct stored *stored, int n)
{
    static const struct tls_failure failure = {.result_type = "certificate-expired",
                                               .n_sessions = 1};

    for (int i = 0; i < n; i++) {
        struct tls_policy policy = stored_policy("example.com");
        struct tls_report report = stored_report(&policy, 1);
        struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
        struct tls_policy foreign = stored_policy("example.foreign");
        struct tls_report aside = stored_report(&foreign, 1);
        char json[64], line[32];
        const char *const lines[] = {line};

        snprintf(json, sizeof(json), "{\"a\": %d}", i);
        snprintf(line, sizeof(line), "mx: mx%d.example.com", i);
        policy.strings = lines;
        policy.n_strings = 1;
        policy.failures = &failure;
        policy.n_failures = 1;
        report.start_unix_s -= DAYS(i);
        meta.received_unix_s -= DAYS(i);
        assert_int_equal(stored_add(stored, &report, json, &meta), REPORT_NEW);
        assert_int_equal(stored_add(stored, &aside, json, &meta), REPORT_FOREIGN);
    }
}

static void assert_kept(const struct stored *stored, int n_reports, int n_raw, int n_aside)
{
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM report"), n_reports);
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM entry"), n_reports);
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM failure"), n_reports);
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM policy"), n_reports);
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM report WHERE raw IS NOT NULL"),
                     n_raw);
    assert_int_equal(stored_number(stored, "SELECT count(*) FROM aside"), n_aside);
}

static void test_by_age(void **state)
{
    struct report_keeping keeping = {
        .raw_s = DAYS(30), .sums_s = DAYS(40), .window_s = DAYS(20), .bytes_max = INT64_MAX};
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    add_days(&stored, 50);
    assert_int_equal(report_expire(stored.database, &keeping, STORED_NOW, &err), 0);
    assert_kept(&stored, 41, 31, 31);
    assert_int_equal(report_expire(stored.database, &keeping, STORED_NOW + 1, &err), 0);
    assert_kept(&stored, 40, 30, 30);
    assert_int_equal(stored_number(&stored, "SELECT min(day) FROM entry"), STORED_DAY - 39);
    stored_close(&stored);
}

/* What is aside goes first, then reports, then sums; those of the window stay. */
static void test_by_size(void **state)
{
    struct report_keeping keeping = {
        .raw_s = DAYS(30), .sums_s = DAYS(400), .window_s = DAYS(20), .bytes_max = 1};
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    add_days(&stored, 50);
    assert_int_equal(report_expire(stored.database, &keeping, STORED_NOW, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_kept(&stored, 21, 0, 0);
    assert_int_equal(stored_number(&stored, "SELECT min(day) FROM entry"), STORED_DAY - 20);
    stored_close(&stored);
}

/* The days of a verdict are kept, and counts of what was refused for as long as sums. */
static void test_by_rules(void **state)
{
    static const struct report_verdict_rules rules = {.days = 14, .late_days = 3};
    struct report_keeping keeping = report_keeping_for(&rules);
    struct stored stored;
    struct err err;

    (void)state;
    assert_int_equal(keeping.window_s, DAYS(14 + 3 + REPORT_DAYS_AHEAD + 1));
    stored_open(&stored);
    add_days(&stored, 10);
    assert_int_equal(sqlite3_exec(report_database_connection(stored.database),
                                  "INSERT INTO refused VALUES ('example.com', 19599, 1),"
                                  " ('example.com', 19601, 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(report_expire(stored.database, &keeping, STORED_NOW - 86400, &err), 0);
    assert_kept(&stored, 10, 10, 10);
    assert_int_equal(stored_number(&stored, "SELECT min(day) FROM refused"), 19601);
    stored_close(&stored);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_age),
                                              cmocka_unit_test(test_by_size),
                                              cmocka_unit_test(test_by_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
