/* SPDX-License-Identifier: MIT */
#include "reports/site_attention.h"

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
#include "lib/config/config.h"
#include "reports/check_results.h"
#include "reports/site_domain.h"

static const struct checked_kind not_covered = {"mx-not-in-policy", "meaning", "advice", "error"},
                                 slow = {"http-slow", "meaning", "advice", "warning"};

/* A domain as it is judged, and the most urgent that it needs. */
struct attention_row {
    enum policy_mode mode;
    enum report_verdict_kind verdict;
    enum site_certificate_state certificate;
    const char *check; /* the check's verdict; NULL: it found nothing */
    const struct checked_kind *kind;
    bool is_held;
    enum site_urgency urgency;
    const char *code; /* NULL: nothing is needed */
};

static const struct attention_row rows[] = {
    {POLICY_ENFORCE, REPORT_VERDICT_READY, SITE_CERTIFICATE_GOOD, NULL, NULL, true, 0, NULL},
    {POLICY_TESTING, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_UNKNOWN, NULL, NULL, true, 0, NULL},
    {POLICY_TESTING, REPORT_VERDICT_READY, SITE_CERTIFICATE_GOOD, NULL, NULL, true, SITE_CHANCE,
     "ready"},
    {POLICY_TESTING, REPORT_VERDICT_READY, SITE_CERTIFICATE_EXPIRED, NULL, NULL, true,
     SITE_NO_POLICY, "certificate-expired"},
    {POLICY_TESTING, REPORT_VERDICT_BROKEN, SITE_CERTIFICATE_GOOD, NULL, NULL, true, SITE_UNREADY,
     "reports-broken"},
    {POLICY_ENFORCE, REPORT_VERDICT_BROKEN, SITE_CERTIFICATE_EXPIRED, NULL, NULL, true, SITE_LOST,
     "reports-broken"},
    {POLICY_ENFORCE, REPORT_VERDICT_BROKEN, SITE_CERTIFICATE_GOOD, "lost", &not_covered, true,
     SITE_LOST, "mx-not-in-policy"},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_ENDING, "enforced", &slow, true,
     SITE_SOON, "certificate-ending"},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, "lost", &slow, true,
     SITE_WARNING, "http-slow"},
    {POLICY_TESTING, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, "testing-unready", &not_covered,
     true, SITE_UNREADY, "mx-not-in-policy"},
    {POLICY_TESTING, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, "ignored", &not_covered, true,
     SITE_NO_POLICY, "mx-not-in-policy"},
    {POLICY_MODE_NONE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, NULL, NULL, false,
     SITE_CHANCE, "removable"},
    {POLICY_MODE_NONE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_GOOD, NULL, NULL, true, 0, NULL},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_MISSING, NULL, NULL, true,
     SITE_NO_POLICY, "certificate-missing"},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_NAME, NULL, NULL, true,
     SITE_NO_POLICY, "certificate-name"},
    {POLICY_ENFORCE, REPORT_VERDICT_NO_DATA, SITE_CERTIFICATE_EARLY, NULL, NULL, true,
     SITE_NO_POLICY, "certificate-early"},
};

/* What a row's domain is made of. */
struct made_domain {
    struct policy_document document;
    struct domain configured;
    struct ledger_domain *ledger;
    struct checked_finding finding;
    struct checked_domain checked;
    struct site_domain domain;
};

static void make_domain(const struct attention_row *row, const char *name, struct made_domain *made)
{
    static const char nothing[64]; /* a ledger's domain, which nobody looks into here */
    static const struct reporting reporting;

    *made = (struct made_domain){.document.policy.mode = row->mode,
                                 .configured = {.name = name, .reporting = &reporting},
                                 .finding = {row->kind, NULL, "found"},
                                 .checked = {.verdict = row->check, .n_findings = 1}};
    made->configured.document = &made->document;
    made->checked.findings = &made->finding;
    made->domain = (struct site_domain){
        .configured = &made->configured,
        .ledger = (const struct ledger_domain *)(const void *)nothing,
        .now_unix_s = 1800000000,
        .held_until_unix_s = row->is_held ? 1800001000 : 0,
        .reports = {.policy = &made->document.policy, .verdict.kind = row->verdict},
        .checked = row->check ? &made->checked : NULL,
        .has_certificate = true,
        .certificate = {row->certificate, 1700000000, 1800000600, "path"}};
}

static void test_first(void **state)
{
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct made_domain made;
        struct site_need need;
        bool is_needed;

        make_domain(&rows[i], "a.example", &made);
        is_needed = site_attention_first(&made.domain, arena, &need);
        if (is_needed != (rows[i].code != NULL) ||
            (is_needed &&
             (need.urgency != rows[i].urgency || strcmp(need.code, rows[i].code) != 0)))
            fail_msg("row %zu: found %s", i, is_needed ? need.code : "nothing");
        made.configured.document = NULL;
        assert_false(site_attention_first(&made.domain, arena, &need));
    }
    arena_free(arena);
}

/* A domain without an address for reports gets none; one in mode none needs none. */
static void test_no_report_address(void **state)
{
    const struct attention_row *enforced = &rows[0], *waiting = &rows[1];
    struct arena *arena = arena_new(0);
    struct made_domain made;
    struct site_need need;

    (void)state;
    make_domain(waiting, "a.example", &made);
    made.configured.reporting = NULL;
    assert_true(site_attention_first(&made.domain, arena, &need));
    assert_string_equal(need.code, "no-report-address");
    assert_int_equal(need.urgency, SITE_CHANCE);
    made.document.policy.mode = POLICY_MODE_NONE;
    assert_false(site_attention_first(&made.domain, arena, &need));
    make_domain(enforced, "a.example", &made); /* reports come all the same */
    made.configured.reporting = NULL;
    assert_false(site_attention_first(&made.domain, arena, &need));
    arena_free(arena);
}

/* Groups by urgency, then by how many domains they have; a domain once in each. */
static void test_groups(void **state)
{
    static const char *const names[] = {"a.example", "b.example", "c.example", "d.example",
                                        "e.example"};
    static const size_t row_of[] = {2, 4, 2, 6, 3};
    static const char *const want[] = {"mx-not-in-policy", "reports-broken", "certificate-expired",
                                       "reports-broken", "ready"};
    struct site_attention *attention = site_attention_new();
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct made_domain made;

        make_domain(&rows[row_of[i]], names[i], &made);
        site_attention_add(attention, &made.domain, arena);
        site_attention_add(attention, &made.domain, arena);
    }
    assert_int_equal(site_attention_sort(attention), ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(site_attention_at(attention, i).code, want[i]);
    assert_int_equal(site_attention_at(attention, 4).n_rows, 2);
    assert_string_equal(site_attention_at(attention, 4).rows[1].domain, "c.example");
    site_attention_free(attention);
    arena_free(arena);
}

static void test_none(void **state)
{
    struct site_attention *attention = site_attention_new();

    (void)state;
    assert_int_equal(site_attention_sort(attention), 0);
    site_attention_free(attention);
    site_attention_free(NULL);
}

/* What a stranger made long is cut. */
static void test_long(void **state)
{
    struct site_attention *attention = site_attention_new();
    char text[10001];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    site_attention_add_row(attention, SITE_LOST, "code", "title", "advice",
                           &(struct site_attention_row){"a.example", text});
    assert_int_equal(site_attention_sort(attention), 1);
    assert_int_equal(strlen(site_attention_at(attention, 0).rows[0].text), 303);
    site_attention_free(attention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first), cmocka_unit_test(test_no_report_address),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_none), cmocka_unit_test(test_long)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
