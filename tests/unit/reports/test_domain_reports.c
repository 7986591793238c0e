/* SPDX-License-Identifier: MIT */
#include "reports/domain_reports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "support/loaded.h"
#include "support/stored.h"

/* A clean report of each of the last 40 days, and of yesterday one with a failure, of a policy that
 * the report does not name. */
static void add_days(struct stored *stored, bool fails)
{
    static const struct tls_failure failure = {.result_type = "certificate-expired",
                                               .n_sessions = 100};

    for (int ago = 40; ago > 0; ago--) {
        struct tls_policy policy = stored_policy("example.com");
        struct tls_report report = stored_report(&policy, 1);
        struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
        char json[32];

        policy.n_strings = 0;
        if (fails && ago == 1) {
            policy.failures = &failure;
            policy.n_failures = 1;
            policy.n_failed = 100;
        }
        snprintf(json, sizeof(json), "%d", ago);
        report.start_unix_s -= (int64_t)ago * 86400;
        assert_int_equal(stored_add(stored, &report, json, &meta), REPORT_NEW);
    }
}

static void expect_verdict(const struct domain_reports_source *source, const char *domain,
                           enum report_verdict_kind kind, size_t n_entries)
{
    struct arena *arena = arena_new(0);
    struct domain_reports reports;
    struct err err;

    assert_int_equal(domain_reports_load(source, domain, arena, &reports, &err), 0);
    if (reports.verdict.kind != kind || reports.entries.n != n_entries)
        fail_msg("%s: expected %s of %zu entries, found %s of %zu", domain,
                 report_verdict_name(kind), n_entries, report_verdict_name(reports.verdict.kind),
                 reports.entries.n);
    assert_int_equal(reports.tally.n_entries, n_entries);
    arena_free(arena);
}

static void test_load(void **state)
{
    static const char lines[] =
        LEDGER_HEAD "1700000000 serves example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa testing 86400"
                    " example.com - - mx1.example.com\n";
    static const char damaged[] =
        LEDGER_HEAD "1700000000 serves example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa testing 86400"
                    " example.com - - mx1.example.com\nwhat is this\n";
    struct config *config = loaded_config("domains: {example.com: {mx: [mx1.example.com]}}\n");
    struct domain_reports_source source = {
        .config = config, .now_unix_s = STORED_NOW - 86400, .days = 30};
    struct ledger *ledger, *damaged_ledger;
    struct stored stored;
    struct err err;

    (void)state;
    assert_int_equal(ledger_read_bytes(slice_of(lines), NULL, NULL, &ledger, &err), 0);
    assert_int_equal(ledger_read_bytes(slice_of(damaged), NULL, NULL, &damaged_ledger, &err), 0);
    stored_open(&stored);
    source.database = stored.database;
    add_days(&stored, false);
    source.ledger = ledger;
    expect_verdict(&source, "example.com", REPORT_VERDICT_READY, 30);
    source.days = 3; /* fewer are shown, as many are judged */
    expect_verdict(&source, "example.com", REPORT_VERDICT_READY, 3);
    source.days = 400;
    expect_verdict(&source, "example.com", REPORT_VERDICT_READY, 40);
    expect_verdict(&source, "mx1.example.com", REPORT_VERDICT_NO_DATA, 0);
    source.ledger = damaged_ledger;
    expect_verdict(&source, "example.com", REPORT_VERDICT_NOT_YET, 40);
    source.ledger = NULL;
    expect_verdict(&source, "example.com", REPORT_VERDICT_NOT_YET, 40);
    stored_close(&stored);

    stored_open(&stored);
    source.database = stored.database;
    add_days(&stored, true);
    source.ledger = ledger;
    expect_verdict(&source, "example.com", REPORT_VERDICT_BROKEN, 40);
    config_unref(config);

    config = loaded_config("domains: {example.com: {mx: [mx1.example.com]}}\n"
                           "reports: {ready_after: 25h, late: 0s, tolerated: 1000000}\n");
    assert_int_equal(domain_reports_rules(config).days, 2);
    assert_int_equal(domain_reports_rules(config).late_days, 0);
    source.config = config;
    expect_verdict(&source, "example.com", REPORT_VERDICT_READY, 40);
    stored_close(&stored);
    ledger_free(ledger);
    ledger_free(damaged_ledger);
    config_unref(config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_load)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
