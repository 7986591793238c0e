/* SPDX-License-Identifier: MIT */
/*
 * What integration.print_schema cannot see: whether the patterns mean the same in every dialect.
 * That they take what the loader takes is shown there, with all files that load and that do not.
 */
#include "lib/config/patterns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/diag/finding.h"
#include "lib/yaml/decode.h"

static const struct field_shape *const shapes[] = {
    &shape_policy_name, &shape_domain, &shape_name,   &shape_mx,    &shape_rua,    &shape_code,
    &shape_address,     &shape_peer,   &shape_listen, &shape_admin, &shape_socket,
};

static void test_all_say_what_is_due(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        assert_true(strlen(shapes[i]->due) > 0);
        assert_true((shapes[i]->pattern != NULL) != (shapes[i]->word != NULL));
    }
}

static void test_patterns_are_portable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        const char *pattern = shapes[i]->pattern;

        if (!pattern)
            continue;
        assert_int_equal(pattern[0], '^');
        assert_int_equal(pattern[strlen(pattern) - 1], '$');
        assert_null(strstr(pattern, "(?"));
        for (const char *at = pattern; (at = strchr(at, '\\')); at += 2)
            if (!strchr("x.*{}[]", at[1]))
                fail_msg("shape %zu: \\%c is not the same everywhere", i, at[1]);
    }
}

static void test_codes_are_those_that_can_be_allowed(void **state)
{
    size_t n = 0, n_allowed = 0;

    (void)state;
    for (; shape_code.word(n); n++)
        assert_int_not_equal(finding_row(finding_find(slice_of(shape_code.word(n))))->level,
                             LEVEL_ERROR);
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        n_allowed += finding_row((enum finding)i)->level != LEVEL_ERROR;
    assert_int_equal(n, n_allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_say_what_is_due),
        cmocka_unit_test(test_patterns_are_portable),
        cmocka_unit_test(test_codes_are_those_that_can_be_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
