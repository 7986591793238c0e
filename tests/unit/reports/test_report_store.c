/* SPDX-License-Identifier: MIT */
#include "reports/report_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "reports/report_database.h"
#include "support/stored.h"

static void test_outcomes(void **state)
{
    struct tls_policy ours = stored_policy("example.com"), other = stored_policy("example.org"),
                      foreign = stored_policy("example.foreign"), unsaid = stored_policy(NULL);
    struct tls_report report = stored_report(&ours, 1), of_other = stored_report(&other, 1),
                      of_foreign = stored_report(&foreign, 1), of_none = stored_report(&unsaid, 1);
    struct tls_report later = report;
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;

    (void)state;
    later.start_unix_s += 86400;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{\"a\":1}", &meta), REPORT_NEW);
    assert_int_equal(stored_add(&stored, &report, "{\"a\":1}", &meta), REPORT_DUPLICATE);
    assert_int_equal(stored_add(&stored, &report, "{ \"a\": 1 }\r\n", &meta), REPORT_DUPLICATE);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 1);
    assert_int_equal(stored_number(&stored, "SELECT sum(n_successful) FROM entry"), 100);
    assert_int_equal(stored_number(&stored, "SELECT sum(is_conflict) FROM report"), 0);

    /* Halon: one id for the reports of all domains; and the next day with the same id. */
    assert_int_equal(stored_add(&stored, &of_other, "{\"a\":1}", &meta), REPORT_NEW);
    assert_int_equal(stored_add(&stored, &later, "{\"a\":2}", &meta), REPORT_NEW);
    assert_int_equal(stored_number(&stored, "SELECT sum(is_conflict) FROM report"), 0);

    assert_int_equal(stored_add(&stored, &report, "{\"a\":3}", &meta), REPORT_CONFLICT);
    assert_int_equal(stored_number(&stored, "SELECT sum(is_conflict) FROM report"), 2);

    assert_int_equal(stored_add(&stored, &of_foreign, "{\"a\":1}", &meta), REPORT_FOREIGN);
    assert_int_equal(stored_add(&stored, &of_foreign, "{\"a\":1}", &meta), REPORT_DUPLICATE);
    assert_int_equal(stored_add(&stored, &of_none, "{\"a\":4}", &meta), REPORT_FOREIGN);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM aside"), 2);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 4);
    stored_close(&stored);
}

/* One report of several policies: what it says of others is left out. */
static void test_foreign_part(void **state)
{
    struct tls_policy policies[] = {stored_policy("example.com"), stored_policy("a.foreign"),
                                    stored_policy("example.com")};
    struct tls_report report = stored_report(policies, 3);
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;

    (void)state;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{}", &meta), REPORT_NEW);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM entry"), 2);
    assert_int_equal(
        stored_number(&stored, "SELECT count(*) FROM entry WHERE domain = 'a.foreign'"), 0);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM policy"), 1);
    assert_int_equal(stored_number(&stored, "SELECT sum(is_conflict) FROM report"), 0);
    stored_close(&stored);
}

/* An anonymous copy may come first, or last: the better proof stays. */
static void test_proof(void **state)
{
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta none = stored_meta(REPORT_PROOF_NONE), dkim = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;

    (void)state;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{}", &none), REPORT_NEW);
    assert_int_equal(stored_number(&stored, "SELECT max(proof) FROM report"), 0);
    assert_int_equal(stored_add(&stored, &report, "{}", &dkim), REPORT_DUPLICATE);
    assert_int_equal(stored_number(&stored, "SELECT max(proof) FROM report"), 3);
    assert_int_equal(
        stored_number(&stored, "SELECT count(*) FROM report WHERE proven_domain = 'google.com'"),
        1);
    assert_int_equal(stored_add(&stored, &report, "{}", &none), REPORT_DUPLICATE);
    assert_int_equal(stored_number(&stored, "SELECT max(proof) FROM report"), 3);
    stored_close(&stored);
}

/* Anybody can send any number of anonymous reports; proven ones are always taken. */
static void test_cap(void **state)
{
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta none = stored_meta(REPORT_PROOF_NONE), dkim = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;
    char id[32];

    (void)state;
    report.report_id = id;
    stored_open(&stored);
    for (int i = 0; i < REPORT_ANONYMOUS_MAX + 3; i++) {
        snprintf(id, sizeof(id), "{\"id\": %d}", i);
        assert_int_equal(stored_add(&stored, &report, id, &none),
                         i < REPORT_ANONYMOUS_MAX ? REPORT_NEW : REPORT_OVER_CAP);
    }
    assert_int_equal(stored_number(&stored, "SELECT n FROM refused"), 3);
    report.report_id = "of Google";
    assert_int_equal(stored_add(&stored, &report, "{}", &dkim), REPORT_NEW);
    stored_close(&stored);
}

/* Failures of one kind are one, whichever address of the sender saw them. */
static void test_failures(void **state)
{
    static const struct tls_failure failures[] = {
        {.result_type = "certificate-expired",
         .receiving_host = "mx1.example.com",
         .sending_ip = "192.0.2.1",
         .n_sessions = 2},
        {.n_sessions = UNKNOWN_COUNT},
        {.result_type = "certificate-expired",
         .receiving_host = "mx1.example.com",
         .sending_ip = "192.0.2.2",
         .n_sessions = 3},
        {.result_type = "validation-failure", .reason = "MX_HOSTS_MISMATCH", .n_sessions = 1},
        {.result_type = "validation-failure",
         .reason = "MX_HOSTS_MISMATCH",
         .n_sessions = UNKNOWN_COUNT},
        {.result_type = "tlsa-invalid", .n_sessions = INT64_MAX},
        {.result_type = "tlsa-invalid", .n_sessions = INT64_MAX},
    };
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;

    (void)state;
    policy.failures = failures;
    policy.n_failures = ARRAY_LEN(failures);
    policy.n_failed = UNKNOWN_COUNT;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{}", &meta), REPORT_NEW);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM failure"), 4);
    assert_int_equal(stored_number(&stored, "SELECT sum(n_sessions) FROM failure"
                                            " WHERE result_type = 'certificate-expired'"),
                     5);
    assert_int_equal(
        stored_number(&stored, "SELECT count(*) FROM failure WHERE n_sessions IS NULL"), 3);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM entry WHERE n_failed IS NULL"),
                     1);
    stored_close(&stored);
}

static void test_days(void **state)
{
    static const struct {
        int64_t start_unix_s, day;
    } rows[] = {
        {STORED_START, STORED_DAY},
        {STORED_START - 1, STORED_DAY - 1},
        {UNKNOWN_COUNT, STORED_DAY + 1},
        {STORED_START + (int64_t)86400 * 3, STORED_DAY + 3},
        {STORED_START + (int64_t)86400 * 4, STORED_DAY + 1},
        {INT64_C(253402300799), STORED_DAY + 1},
        {-2, -1},
    };
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;

    (void)state;
    stored_open(&stored);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_policy policy = stored_policy("example.com");
        struct tls_report report = stored_report(&policy, 1);
        char json[32];

        report.start_unix_s = rows[i].start_unix_s;
        snprintf(json, sizeof(json), "%zu", i);
        stored_add(&stored, &report, json, &meta);
        if (stored_number(&stored, "SELECT day FROM entry ORDER BY report DESC LIMIT 1") !=
            rows[i].day)
            fail_msg("row %zu: expected day %d", i, (int)rows[i].day);
    }
    assert_int_equal(report_day_of(0), 0);
    assert_int_equal(report_day_of(-1), -1);
    assert_int_equal(report_day_of(-86400), -1);
    assert_int_equal(report_day_of(86399), 0);
    assert_int_equal(report_day_of(86400), 1);
    stored_close(&stored);
}

/* What a sender leaves out is no key of nothing. */
static void test_empty(void **state)
{
    struct tls_policy policy = {.domain = "example.com",
                                .type = TLS_POLICY_OTHER,
                                .n_successful = UNKNOWN_COUNT,
                                .n_failed = UNKNOWN_COUNT};
    struct tls_report report = {.start_unix_s = UNKNOWN_COUNT,
                                .end_unix_s = UNKNOWN_COUNT,
                                .policies = &policy,
                                .n_policies = 1};
    struct report_meta meta = stored_meta(REPORT_PROOF_NONE);
    struct stored stored;

    (void)state;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{}", &meta), REPORT_NEW);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM entry WHERE policy IS NULL"
                                            " AND n_successful IS NULL"),
                     1);
    stored_close(&stored);
}

static void test_submitter(void **state)
{
    static const struct {
        const char *contact, *organization, *submitter;
    } rows[] = {
        {"a@google.com", "Google Inc.", "google.com"},
        {"\"a@b\"@google.com", "Google Inc.", "google.com"},
        {"a@", "Google Inc.", "Google Inc."},
        {"google.com", "Google Inc.", "Google Inc."},
        {NULL, "Google Inc.", "Google Inc."},
        {NULL, NULL, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tls_report report = {.contact = rows[i].contact,
                                    .organization = rows[i].organization};

        assert_string_equal(report_submitter_of(&report), rows[i].submitter);
    }
}

static void test_unreadable(void **state)
{
    struct report_meta meta = stored_meta(REPORT_PROOF_NONE);
    enum report_outcome outcome;
    struct stored stored;
    struct err err;
    char raw[32];

    (void)state;
    stored_open(&stored);
    assert_int_equal(report_database_begin(stored.database, &err), 0);
    for (int i = 0; i < REPORT_ASIDE_MAX + 5; i++) {
        snprintf(raw, sizeof(raw), "raw %d", i);
        assert_int_equal(report_store_add_unreadable(stored.database, slice_of(raw), "is no JSON",
                                                     &meta, &outcome, &err),
                         0);
        assert_int_equal(outcome, REPORT_NEW);
    }
    assert_int_equal(report_store_add_unreadable(stored.database, slice_of(raw), "is no JSON",
                                                 &meta, &outcome, &err),
                     0);
    assert_int_equal(outcome, REPORT_DUPLICATE);
    assert_int_equal(report_database_commit(stored.database, &err), 0);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM aside"), REPORT_ASIDE_MAX);
    stored_close(&stored);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),  cmocka_unit_test(test_foreign_part),
        cmocka_unit_test(test_proof),     cmocka_unit_test(test_cap),
        cmocka_unit_test(test_failures),  cmocka_unit_test(test_days),
        cmocka_unit_test(test_empty),     cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_submitter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
