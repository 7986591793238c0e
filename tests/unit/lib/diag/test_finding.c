/* SPDX-License-Identifier: MIT */
#include "lib/diag/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_level_name(void **state)
{
    (void)state;
    assert_string_equal(level_name(LEVEL_ERROR), "error");
    assert_string_equal(level_name(LEVEL_WARNING), "warning");
    assert_string_equal(level_name(LEVEL_NOTE), "note");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
