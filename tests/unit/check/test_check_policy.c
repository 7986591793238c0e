/* SPDX-License-Identifier: MIT */
#include "check/check_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/findings.h"
#include "lib/base/arena.h"
#include "support/fixture.h"
#include "support/judged.h"

#define GOOD "version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmax_age: 1209600\r\n"
#define OTHER "version: STSv1\r\nmode: enforce\r\nmx: mx.b.example\r\nmax_age: 1209600\r\n"

static void judge(const struct served_body *bodies, size_t n, const char *wanted_body,
                  const char *want, const char *want_mx)
{
    const struct policy_wanted wanted = {.body = slice_of(wanted_body)};
    struct arena *arena = arena_new(0);
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];
    struct policy policy;
    bool is_parsed = check_policy_judge(bodies, n, &wanted, arena, findings, &policy);

    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    assert_int_equal(is_parsed, want_mx != NULL);
    if (want_mx)
        assert_true(slice_eq_text(policy.mx[0], want_mx));
    findings_free(findings);
    arena_free(arena);
}

static void test_one_body(void **state)
{
    static const struct {
        const char *body, *want, *mx;
    } rows[] = {
        {GOOD, "", "mx.a.example"},
        {"", "policy-syntax x: the policy is empty\n", NULL},
        {"version: STSv1\nmode: none\nmx: a.example\nmax_age: 86400\n",
         "mode-none -: the mode is none\n", "a.example"},
        {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 604800\n",
         "mode-testing -: the mode is testing\n", "a.example"},
        {"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1209600\nmaxage: 1\n",
         "policy-field x: line 5: the field 'maxage' was likely meant to be 'max_age'\n",
         "a.example"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct served_body body = {"x", slice_of(rows[i].body), true};

        judge(&body, 1, NULL, rows[i].want, rows[i].mx);
    }
    judge(NULL, 0, NULL, "", NULL);
}

static void test_several_bodies(void **state)
{
    struct served_body bodies[] = {
        {"x", slice_of(GOOD), false}, {"y", slice_of(GOOD), true}, {"z", slice_of(OTHER), true}};

    (void)state;
    judge(bodies, 2, NULL, "", "mx.a.example");
    judge(bodies, 3, NULL, "policy-differs z: the policy differs from the one that x serves\n",
          "mx.a.example");
    /* The first that senders take counts. */
    bodies[1] = bodies[2];
    judge(bodies, 2, NULL, "policy-differs z: the policy differs from the one that x serves\n",
          "mx.b.example");
    judge(bodies, 2, OTHER, "policy-differs z: the policy differs from the one that x serves\n",
          "mx.b.example");
    judge(bodies, 2, GOOD,
          "policy-not-ours z: the policy differs from the one configured here\n"
          "policy-differs z: the policy differs from the one that x serves\n",
          "mx.b.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_body),
                                       cmocka_unit_test(test_several_bodies)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
