/* SPDX-License-Identifier: MIT */
#include "reports/site_steps.h"

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
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "reports/site_domain.h"

enum {
    DAY_S = 24 * 60 * 60,
    NOW = 1800000000,
};

#define SINCE "1799500000" /* 5 days and some hours before NOW */
#define LINES                                                                         \
    LEDGER_HEAD SINCE                                                                 \
        " serves a.example aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa testing 604800 a.example" \
        " - - mx.a.example\n"

static const struct slice mx = SLICE_BYTES("mx.a.example");

struct steps_row {
    enum policy_mode mode;
    enum report_verdict_kind verdict;
    enum site_certificate_state certificate;
    int64_t held_until_unix_s;
    bool has_ledger;
    size_t n;
    const char *title;
    int64_t from_unix_s;
    int64_t leave_unix_s; /* of the last step; 0: there is none */
};

static const struct steps_row rows[] = {
    {POLICY_TESTING, REPORT_VERDICT_READY, SITE_CERTIFICATE_GOOD, NOW + 5, true, 3,
     "Enforce the policy now", 0, NOW + 7 * DAY_S},
    {POLICY_TESTING, REPORT_VERDICT_NOT_YET, SITE_CERTIFICATE_GOOD, NOW + 5, true, 3,
     "Wait with mode enforce", 1799500000 + 14 * DAY_S, NOW + 7 * DAY_S},
    {POLICY_TESTING, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, NOW + 99 * DAY_S, false, 3,
     "Wait with mode enforce", 0, NOW + 99 * DAY_S},
    {POLICY_TESTING, REPORT_VERDICT_READY, SITE_CERTIFICATE_MISSING, NOW + 5, true, 3,
     "The policy host has no certificate: senders cannot fetch the policy.", 0, NOW + 7 * DAY_S},
    {POLICY_TESTING, REPORT_VERDICT_BROKEN, SITE_CERTIFICATE_GOOD, NOW + 5, true, 3,
     "By the reports, mode enforce would lose mail.", 0, NOW + 7 * DAY_S},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, NOW + 5, true, 3,
     "Nothing to change", 0, NOW + 7 * DAY_S},
    {POLICY_ENFORCE, REPORT_VERDICT_BROKEN, SITE_CERTIFICATE_GOOD, NOW + 5, true, 3,
     "Senders report that mail fails.", 0, NOW + 7 * DAY_S},
    {POLICY_MODE_NONE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, NOW + 9, true, 1,
     "Go on serving mode none", NOW + 9, 0},
    {POLICY_MODE_NONE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, 0, true, 1,
     "Remove the domain now", 0, 0},
    {POLICY_MODE_NONE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, 0, false, 1,
     "Go on serving mode none", 0, 0},
};

static void test_steps(void **state)
{
    struct arena *arena = arena_new(0);
    struct ledger *ledger;
    struct err err;

    (void)state;
    assert_int_equal(ledger_read_bytes(slice_of(LINES), NULL, NULL, &ledger, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct steps_row *row = &rows[i];
        struct policy_document document = {
            .policy = {.mode = row->mode, .max_age_s = 7 * DAY_S, .mx = &mx, .n_mx = 1}};
        struct domain configured = {.name = "a.example", .document = &document};
        struct site_domain domain = {
            .configured = &configured,
            .ledger = row->has_ledger ? ledger_find(ledger, slice_of("a.example")) : NULL,
            .now_unix_s = NOW,
            .held_until_unix_s = row->held_until_unix_s,
            .reports = {.policy = &document.policy, .verdict.kind = row->verdict},
            .has_certificate = true,
            .certificate = {.state = row->certificate}};
        struct site_step steps[SITE_STEPS_MAX];
        size_t n = site_steps_list(&domain, 14, arena, steps);

        if (n != row->n || strcmp(steps[0].title, row->title) != 0 ||
            steps[0].from_unix_s != row->from_unix_s)
            fail_msg("row %zu: found '%s', %lld", i, steps[0].title,
                     (long long)steps[0].from_unix_s);
        if (row->leave_unix_s != 0)
            assert_int_equal(steps[n - 1].from_unix_s, row->leave_unix_s);
        domain.reports.policy = NULL;
        assert_int_equal(site_steps_list(&domain, 14, arena, steps), 0);
    }
    ledger_free(ledger);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
