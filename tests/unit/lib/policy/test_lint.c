/* SPDX-License-Identifier: MIT */
#include "lib/policy/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

enum {
    MX_MAX = 3,
};

static void test_mx(void **state)
{
    static const struct {
        const char *mx[MX_MAX];
        enum finding want[MX_MAX];
    } rows[] = {
        {{"a.example", "b.example"}, {0}},
        {{"a.example", "A.example", "a.example"},
         {FINDING_NONE, FINDING_MX_DUPLICATE, FINDING_MX_DUPLICATE}},
        {{"*.aspmx.l.google.com"}, {FINDING_MX_INCOMPLETE}},
        {{"alt1.aspmx.l.google.com", "alt2.aspmx.l.google.com"}, {FINDING_MX_INCOMPLETE}},
        {{"alt1.aspmx.l.google.com", "aspmx.l.google.com"}, {0}},
        {{"aspmx.l.google.com", "*.aspmx.l.google.com"}, {0}},
        {{"*.aspmx.l.google.com", "*.l.google.com"}, {0}},
        {{"*.l.google.com"}, {FINDING_MX_INCOMPLETE}},
        {{"*.google.com"}, {FINDING_MX_INCOMPLETE}},
        {{"*.Google.com", "aspmx.l.google.com", "*.aspmx.l.google.com"}, {0}},
        {{"smtp.google.com"}, {0}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice mx[MX_MAX];
        struct policy policy = {.mx = mx};

        for (; policy.n_mx < MX_MAX && rows[i].mx[policy.n_mx]; policy.n_mx++)
            mx[policy.n_mx] = slice_of(rows[i].mx[policy.n_mx]);
        for (size_t k = 0; k < policy.n_mx; k++) {
            const char *why = NULL;
            enum finding seen = policy_mx_lint(&policy, k, &why);

            if (seen != rows[i].want[k] || (seen == FINDING_NONE) != (why == NULL))
                fail_msg("row %zu, mx %zu: saw %s", i, k, finding_row(seen)->code);
        }
    }
}

static void test_max_age(void **state)
{
    static const struct {
        enum policy_mode mode;
        uint32_t max_age_s;
        enum finding want;
    } rows[] = {
        {POLICY_TESTING, 0, FINDING_MAX_AGE_SHORT},
        {POLICY_TESTING, 86399, FINDING_MAX_AGE_SHORT},
        {POLICY_TESTING, 86400, FINDING_NONE},
        {POLICY_ENFORCE, 86400, FINDING_MAX_AGE_BELOW_TWO_WEEKS},
        {POLICY_ENFORCE, 1209599, FINDING_MAX_AGE_BELOW_TWO_WEEKS},
        {POLICY_ENFORCE, 1209600, FINDING_NONE},
        {POLICY_MODE_NONE, 31536000, FINDING_NONE},
        {POLICY_MODE_NONE, 31536001, FINDING_MAX_AGE_LONG},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char why[POLICY_LINT_MAX] = "untouched";
        enum finding seen = policy_max_age_lint(rows[i].mode, rows[i].max_age_s, why);

        if (seen != rows[i].want || (strcmp(why, "untouched") == 0) != (seen == FINDING_NONE))
            fail_msg("row %zu: saw %s, '%s'", i, finding_row(seen)->code, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mx),
        cmocka_unit_test(test_max_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
