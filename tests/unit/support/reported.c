/* SPDX-License-Identifier: MIT */
#include "support/reported.h"

#include "lib/base/slice.h"
#include "lib/policy/policy.h"

#define NOW "mx: mx1.example.com\nmx: mx2.example.com"

struct domain_reports reported_sample(struct arena *arena)
{
    static const struct slice mx[] = {SLICE_BYTES("mx1.example.com"),
                                      SLICE_BYTES("mx2.example.com")};
    static const struct policy policy = {.mx = mx, .n_mx = ARRAY_LEN(mx)};
    static const struct report_verdict_reason reasons[] = {{"it is so", "Do this"},
                                                           {"it is otherwise", NULL}};
    static const struct entry_failure expired = {.result_type = "certificate-expired",
                                                 .mx = "mx1.example.com",
                                                 .reason = "x\033[31m",
                                                 .n_sessions = 2},
                                      cured = {.result_type = "validation-failure",
                                               .mx = "mx2.example.com",
                                               .n_sessions = UNKNOWN_COUNT},
                                      untyped = {.n_sessions = 1};
    static const struct report_entry list[] = {
        {.day = 20000,
         .reporter = "google.com",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 1000,
         .n_failed = 2,
         .failures = &expired,
         .n_failures = 1},
        {.day = 20000,
         .reporter = "google.com",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_NONE,
         .n_successful = 5},
        {.day = 20001,
         .reporter = "google.com",
         .proof = REPORT_PROOF_DKIM,
         .type = TLS_POLICY_STS,
         .policy_lines = "mx: mx1.example.com",
         .n_successful = UNKNOWN_COUNT,
         .n_failed = UNKNOWN_COUNT,
         .failures = &cured,
         .n_failures = 1,
         .is_conflict = true},
        {.day = 20002,
         .reporter = "b.example",
         .proof = REPORT_PROOF_FILE,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_successful = 1},
        {.day = 20002,
         .reporter = "c.example",
         .proof = REPORT_PROOF_PEER,
         .type = TLS_POLICY_STS,
         .policy_lines = "mx: old.example.com",
         .n_successful = 3},
        {.day = 20002,
         .reporter = "Evil\r\nCorp",
         .proof = REPORT_PROOF_NONE,
         .type = TLS_POLICY_STS,
         .policy_lines = NOW,
         .n_failed = 1,
         .failures = &untyped,
         .n_failures = 1},
    };
    struct domain_reports reports = {
        .domain = "example.com",
        .policy = &policy,
        .days = 30,
        .entries = {.list = list, .n = ARRAY_LEN(list), .n_refused = 1},
        .verdict = {.kind = REPORT_VERDICT_NOT_YET, .reasons = reasons, .n_reasons = 2},
    };

    report_tally_make(&reports.entries, mx, ARRAY_LEN(mx), NULL, arena, &reports.tally);
    return reports;
}
