/* SPDX-License-Identifier: MIT */
#include "reports/report_verdict.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/report_query.h"
#include "reports/report_store.h"
#include "reports/report_tally.h"

#define LINES "version: STSv1\nmode: testing\nmx: mx1.example.com\nmax_age: 86400"

enum {
    TODAY = 20000, /* at noon */
    ENTRIES_MAX = 40,
};

static const struct report_verdict_rules usual_rules = {
    .days = 14, .late_days = 3, .per_million = 1000};

/* A case: what was served for how many days, and what was reported, as short texts. */
struct given {
    int mx1_days, mx2_days; /* how long ago each came into the policy; -1: it is not in it */
    struct report_entry entries[ENTRIES_MAX];
    size_t n_entries;
    bool has_no_policy, has_damaged_ledger, has_no_addresses;
    const struct checked_domain *checked;
    int checked_days; /* ago */
};

static const struct entry_failure expired = {
    .result_type = "certificate-expired", .mx = "mx1.example.com", .n_sessions = 10};
static const struct entry_failure fetch = {.result_type = "sts-policy-fetch-error",
                                           .n_sessions = 10};
static const struct entry_failure strange = {.result_type = "cosmic-ray", .n_sessions = 10};
static const struct entry_failure dane = {.result_type = "dane-required", .n_sessions = 10};

static void give(struct given *given, int days_ago, const char *reporter, enum report_proof proof,
                 int64_t n_successful, const struct entry_failure *failure)
{
    assert_true(given->n_entries < ENTRIES_MAX);
    given->entries[given->n_entries++] =
        (struct report_entry){.day = TODAY - days_ago,
                              .reporter = reporter,
                              .proof = proof,
                              .type = TLS_POLICY_STS,
                              .policy_lines = LINES,
                              .n_successful = n_successful,
                              .n_failed = failure ? failure->n_sessions : 0,
                              .failures = failure,
                              .n_failures = failure ? 1 : 0};
}

/* Reports of each day before today, of sessions without a failure. */
static struct given clean(int64_t n_successful, enum report_proof proof)
{
    struct given given = {.mx1_days = 30, .mx2_days = -1};

    for (int ago = 17; ago > 0; ago--)
        give(&given, ago, "google.com", proof, n_successful, NULL);
    return given;
}

static void print_serving(FILE *out, int days_ago, const char *mx)
{
    fprintf(out,
            "%" PRId64 " serves example.com aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa testing 86400"
            " example.com - - %s\n",
            ((int64_t)TODAY - days_ago) * 86400, mx);
}

/* The verdict's name and its reasons, a line each. */
static char *decide(const struct given *given, struct arena *arena)
{
    static char said[8192];
    static char bytes[4096];
    FILE *out = fmemopen(bytes, sizeof(bytes), "w");
    static const struct slice mx[] = {SLICE_BYTES("mx1.example.com"),
                                      SLICE_BYTES("mx2.example.com")};
    struct policy policy = {.mx = mx, .n_mx = given->mx2_days >= 0 ? 2 : 1};
    struct report_entries entries = {.list = given->entries, .n = given->n_entries};
    struct report_verdict verdict;
    struct report_tally tally;
    struct ledger *ledger;
    struct err err;

    fputs(LEDGER_HEAD, out);
    if (given->mx1_days >= 0)
        print_serving(out, given->mx1_days, "mx1.example.com");
    if (given->mx2_days >= 0)
        print_serving(out, given->mx2_days, "mx1.example.com,mx2.example.com");
    fclose(out);
    assert_int_equal(ledger_read_bytes(slice_of(bytes), NULL, NULL, &ledger, &err), 0);
    report_tally_make(&entries, mx, policy.n_mx, NULL, arena, &tally);
    report_verdict_decide(
        &(struct report_verdict_case){.rules = &usual_rules,
                                      .now_unix_s = (int64_t)TODAY * 86400 + 43200,
                                      .policy = given->has_no_policy ? NULL : &policy,
                                      .has_report_addresses = !given->has_no_addresses,
                                      .ledger = ledger_find(ledger, slice_of("example.com")),
                                      .is_ledger_whole = !given->has_damaged_ledger,
                                      .tally = &tally,
                                      .checked = given->checked,
                                      .checked_unix_s =
                                          ((int64_t)TODAY - given->checked_days) * 86400},
        arena, &verdict);
    out = fmemopen(said, sizeof(said), "w");
    fprintf(out, "%s\n", report_verdict_name(verdict.kind));
    for (size_t i = 0; i < verdict.n_reasons; i++)
        fprintf(out, "%s\n%s\n", verdict.reasons[i].text,
                verdict.reasons[i].advice ? verdict.reasons[i].advice : "");
    fclose(out);
    ledger_free(ledger);
    return said;
}

static void expect(const char *name, const struct given *given, const char *kind,
                   const char *reason)
{
    struct arena *arena = arena_new(0);
    const char *said = decide(given, arena);

    if (strncmp(said, kind, strlen(kind)) != 0 || said[strlen(kind)] != '\n' ||
        !strstr(said, reason))
        fail_msg("%s: expected %s with '%s', found: %s", name, kind, reason, said);
    arena_free(arena);
}

static void test_ready(void **state)
{
    struct given given = clean(1000, REPORT_PROOF_DKIM);

    (void)state;
    expect("clean", &given, "READY",
           "verified reporters told of 17000 sessions under the policy, and none failed");
    give(&given, 1, "google.com", REPORT_PROOF_DKIM, 1000, &dane);
    expect("dane", &given, "READY", "none failed");
    given = clean(10, REPORT_PROOF_FILE);
    expect("files", &given, "READY", "170 sessions");
    given = clean(0, REPORT_PROOF_DKIM);
    give(&given, 16, "google.com", REPORT_PROOF_DKIM, 2, NULL);
    expect("one day is enough, 30 days after the start", &given, "READY", "2 sessions");
    given = clean(1000, REPORT_PROOF_DKIM);
    given.mx2_days = 14; /* at midnight */
    expect("an mx of 14 days", &given, "READY", "");
}

/* 0.1 % is tolerated and listed. */
static void test_threshold(void **state)
{
    struct given given = clean(1000, REPORT_PROOF_DKIM);

    (void)state;
    give(&given, 1, "google.com", REPORT_PROOF_DKIM, 0,
         &(struct entry_failure){.result_type = "certificate-expired", .n_sessions = 17});
    expect("17 of 17017", &given, "READY",
           "google.com found a certificate that has expired (certificate-expired): 17 sessions, "
           "last on 3 October 2024");
    given = clean(1000, REPORT_PROOF_DKIM);
    give(&given, 1, "google.com", REPORT_PROOF_DKIM, 0,
         &(struct entry_failure){.result_type = "certificate-expired", .n_sessions = 18});
    expect("18 of 17018", &given, "BROKEN", "18 sessions");
}

static void test_broken(void **state)
{
    struct given given = clean(100, REPORT_PROOF_DKIM);

    (void)state;
    give(&given, 0, "google.com", REPORT_PROOF_DKIM, 0, &expired);
    expect("mx", &given, "BROKEN",
           "google.com found a certificate that has expired (certificate-expired) at MX host "
           "mx1.example.com: 10 sessions, last on 4 October 2024");
    given = clean(100, REPORT_PROOF_DKIM);
    give(&given, 0, "google.com", REPORT_PROOF_DKIM, 100, &fetch);
    expect("policy host", &given, "BROKEN", "google.com could not fetch the policy");
    given = clean(100, REPORT_PROOF_DKIM);
    give(&given, 0, "b.example", REPORT_PROOF_PEER, 0, &expired);
    expect("only another reporter", &given, "BROKEN", "b.example found");
    given.mx1_days = 3;
    expect("not for long", &given, "BROKEN", "has been in the policy for less than 14 days");
    given.has_damaged_ledger = true;
    expect("without a ledger", &given, "BROKEN", "it is unknown which policies were served");
}

static void test_not_yet(void **state)
{
    struct given given = clean(100, REPORT_PROOF_DKIM);

    (void)state;
    given.entries[5].failures = &expired;
    given.entries[5].n_failures = 1;
    given.entries[5].n_failed = 10;
    expect("ended", &given, "NOT YET",
           "these failures have ended, and count until 10 October 2024");
    given = clean(100, REPORT_PROOF_DKIM);
    give(&given, 0, "google.com", REPORT_PROOF_DKIM, 100, &strange);
    expect("unknown type", &given, "NOT YET", "(cosmic-ray): 10 sessions");
    given = clean(100000, REPORT_PROOF_DKIM);
    give(&given, 1, "b.example", REPORT_PROOF_DKIM, 0, &expired);
    expect("a sender that never gets through", &given, "NOT YET",
           "each session of b.example failed");
    given.entries[given.n_entries - 1].n_successful = 1;
    expect("or once", &given, "READY", "fewer failed than is tolerated");
    given = clean(100, REPORT_PROOF_NONE);
    expect("anonymous", &given, "NOT YET", "no verified reporter has told");
    given = clean(100, REPORT_PROOF_DKIM);
    give(&given, 0, "google.com", REPORT_PROOF_NONE, 0, &expired);
    expect("anonymous failures", &given, "NOT YET",
           "; unverified, anybody can have sent this report");
    given = clean(1, REPORT_PROOF_DKIM);
    give(&given, 0, "b.example", REPORT_PROOF_NONE, 100, NULL);
    expect("only echoes are proven", &given, "NOT YET", "no verified reporter has told");
    given = clean(100, REPORT_PROOF_DKIM);
    for (size_t i = 0; i < given.n_entries; i++)
        given.entries[i].policy_lines = "mx: old.example.com";
    give(&given, 0, "b.example", REPORT_PROOF_DKIM, 0, &dane);
    expect("of another policy", &given, "NOT YET", "no verified reporter has told");
}

/* What was reported and goes on counts, however little it is. What the check alone finds is said.
 */
static void test_reproduced(void **state)
{
    static struct checked_kind expired_kind = {.code = "mx-cert-expired", .severity = "error"};
    static const struct checked_finding finding = {.kind = &expired_kind,
                                                   .subject = "mx1.example.com [192.0.2.1]",
                                                   .text = "the certificate\x1b has expired"};
    static const struct checked_domain checked = {.findings = &finding, .n_findings = 1};
    static const struct entry_failure elsewhere = {
        .result_type = "certificate-expired", .mx = "mx9.example.com", .n_sessions = 10};
    struct given given = clean(1000, REPORT_PROOF_DKIM);

    (void)state;
    expect("no check", &given, "READY", "safe by these reports: change the policy, reload");
    given.checked = &checked;
    expect(
        "the check alone", &given, "READY",
        "none failed\nMode enforce is safe by these reports: look first at what the check finds");
    expect("what it finds", &given, "READY",
           "the check of 4 October 2024 finds what nobody has reported at "
           "mx1.example.com [192.0.2.1]: the certificate\\x1b has expired (mx-cert-expired)");
    expired_kind.severity = "warning";
    expect("a warning", &given, "READY", "safe by these reports: change the policy, reload");
    expired_kind = (struct checked_kind){.code = "txt-ttl-long", .severity = "error"};
    expect("no reason for a failure", &given, "READY", "by these reports: change the policy");
    expired_kind = (struct checked_kind){.code = "mx-cert-expired", .severity = "error"};
    give(&given, 9, "google.com", REPORT_PROOF_DKIM, 0, &expired);
    given.checked_days = 17;
    expect("reported and found", &given, "NOT YET",
           "the check of 17 September 2024 finds what google.com has reported "
           "(certificate-expired) at mx1.example.com [192.0.2.1]: "
           "the certificate\\x1b has expired (mx-cert-expired)");
    given.checked_days = 18;
    expect("a check older than the reports", &given, "READY", "fewer failed than is tolerated");
    given.checked_days = 0;
    given.entries[given.n_entries - 1].failures = &elsewhere;
    expect("of another MX host", &given, "READY", "fewer failed than is tolerated");
    given.entries[given.n_entries - 1].failures = &fetch;
    expect("of another class", &given, "READY", "fewer failed than is tolerated");
    given.n_entries--;
    give(&given, 1, "b.example", REPORT_PROOF_NONE, 100000, &expired);
    expect("reported by anybody", &given, "NOT YET", "finds what b.example has reported");
    give(&given, 1, "google.com", REPORT_PROOF_DKIM, 0, &expired);
    expect("a proven reporter goes first", &given, "NOT YET", "finds what google.com has reported");
    for (int i = 0; i < 2; i++)
        give(&given, 0, "google.com", REPORT_PROOF_DKIM, 0, &expired);
    expect("broken by the reports", &given, "BROKEN", "finds what google.com has reported");
}

/* What the ledger does not say is unknown; an mx that is new counts for itself. */
static void test_time(void **state)
{
    struct given given = clean(100, REPORT_PROOF_DKIM);

    (void)state;
    given.has_damaged_ledger = true;
    expect("damaged", &given, "NOT YET", "it is unknown which policies were served");
    given = clean(100, REPORT_PROOF_DKIM);
    given.mx1_days = -1;
    expect("empty", &given, "NOT YET", "it is unknown since when senders see mx mx1.example.com");
    given = clean(100, REPORT_PROOF_DKIM);
    given.mx1_days = 13;
    expect("young", &given, "NOT YET",
           "mx mx1.example.com has been in the policy for less than 14 days; its time is over on "
           "5 October 2024");
    given = clean(100, REPORT_PROOF_DKIM);
    given.mx2_days = 2;
    expect("a new mx", &given, "NOT YET", "mx mx2.example.com has been in the policy for less");
}

/* After the 14 days reports are awaited, from those who report, for 3 days. */
static void test_late(void **state)
{
    struct given given = clean(100, REPORT_PROOF_DKIM);

    (void)state;
    given.mx1_days = 14;
    expect("reported until yesterday", &given, "READY", "");
    given.n_entries -= 1;
    expect("until the day before", &given, "NOT YET",
           "the last report of google.com is of 2 October 2024; later ones are awaited until "
           "7 October 2024, 00:00 UTC");
    given.mx1_days = 17;
    expect("three days later", &given, "READY", "");
}

static void test_no_data(void **state)
{
    struct given given = {.mx1_days = 30, .mx2_days = -1};

    (void)state;
    expect("nothing", &given, "NO DATA",
           "no report about the last 17 days has come\nCheck that the _smtp._tls record");
    given.has_no_addresses = true;
    expect("no addresses", &given, "NO DATA", "has come\nSet tls_rpt for the domain");
    given.has_no_addresses = false;
    give(&given, 1, "a.example", REPORT_PROOF_DKIM, 1, NULL);
    expect("an echo", &given, "NO DATA", "the mail of their own reports");
    given.n_entries = 0;
    give(&given, 1, "a.example", REPORT_PROOF_DKIM, 100, NULL);
    given.entries[0].type = TLS_POLICY_NONE;
    expect("saw no policy", &given, "NO DATA", "the senders saw no policy");
    given = clean(100, REPORT_PROOF_DKIM);
    given.has_no_policy = true;
    expect("no policy", &given, "NO DATA", "no policy is served");
}

static void test_window(void **state)
{
    (void)state;
    assert_int_equal(report_verdict_first_day(&usual_rules, 20000 * 86400), 19983);
    assert_int_equal(report_verdict_mx_since(NULL, slice_of("mx1")), 0);
}

/* A break in what was served, or in the mx, starts the count anew. */
static void test_since(void **state)
{
#define SERVES(mode, mx) \
    " serves a.example aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " mode " 86400 a.example - - " mx "\n"
    static const struct {
        const char *lines;
        int64_t since;
    } rows[] = {
        {"10" SERVES("testing", "mx1"), 10},
        {"10" SERVES("testing", "mx1") "20" SERVES("enforce", "mx2,MX1"), 10},
        {"10" SERVES("testing", "mx2") "20" SERVES("enforce", "mx2,mx1"), 20},
        {"10" SERVES("none", "mx1") "20" SERVES("testing", "mx1"), 20},
        {"10" SERVES("testing", "mx1") "20 ends a.example\n30" SERVES("testing", "mx1"), 30},
        {"10" SERVES("testing", "mx1") "20 ends a.example\n", 0},
        {"10" SERVES("testing", "mx10"), 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char bytes[1024];
        struct ledger *ledger;
        struct err err;
        int64_t since;

        snprintf(bytes, sizeof(bytes), LEDGER_HEAD "%s", rows[i].lines);
        assert_int_equal(ledger_read_bytes(slice_of(bytes), NULL, NULL, &ledger, &err), 0);
        since =
            report_verdict_mx_since(ledger_find(ledger, slice_of("a.example")), slice_of("mx1"));
        if (since != rows[i].since)
            fail_msg("row %zu: expected %d, found %d", i, (int)rows[i].since, (int)since);
        ledger_free(ledger);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready),      cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_broken),     cmocka_unit_test(test_not_yet),
        cmocka_unit_test(test_reproduced), cmocka_unit_test(test_time),
        cmocka_unit_test(test_late),       cmocka_unit_test(test_no_data),
        cmocka_unit_test(test_window),     cmocka_unit_test(test_since)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
