/* SPDX-License-Identifier: MIT */
/*
 * What integration.print_schema cannot see: whether the patterns mean the same in every dialect.
 * That they take what the loader takes is shown there, with all files that load.
 */
#include "lib/config/patterns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "lib/yaml/decode.h"

static const struct field_pattern *const patterns[] = {
    &pattern_policy_name,
    &pattern_rua,
    &pattern_listen,
    &pattern_socket,
};

static void test_all_say_what_is_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        assert_true(strlen(patterns[i]->expected) > 0);
}

static void test_patterns_are_portable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        assert_int_equal(patterns[i]->regex[0], '^');
        assert_null(strstr(patterns[i]->regex, "(?"));
        assert_null(strchr(patterns[i]->regex, '\\'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_say_what_is_expected),
        cmocka_unit_test(test_patterns_are_portable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
