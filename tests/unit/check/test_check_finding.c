/* SPDX-License-Identifier: MIT */
#include "check/check_finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* What --list-checks prints has to be whole, and each code is one word of a person's search. */
static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < CHECK_FINDING_COUNT; i++) {
        const struct check_row *row = check_row_of((enum check_finding)i);

        if (!row->code || !row->meaning || !row->advice || !row->source)
            fail_msg("row %d lacks a text", i);
        if (row->code[strspn(row->code, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
            fail_msg("'%s' has other letters than a to z", row->code);
        if (slice_ends_with(slice_of(row->meaning), ".") ||
            slice_ends_with(slice_of(row->advice), "."))
            fail_msg("%s: a sentence ends in a full stop", row->code);
        for (int k = 0; k < i; k++)
            if (strcmp(row->code, check_row_of((enum check_finding)k)->code) == 0)
                fail_msg("'%s' stands twice", row->code);
    }
}

static void test_severities(void **state)
{
    (void)state;
    assert_string_equal(check_severity_name(CHECK_ERROR), "error");
    assert_string_equal(check_severity_name(CHECK_WARNING), "warning");
    assert_string_equal(check_severity_name(CHECK_NOTE), "note");
    assert_string_equal(check_severity_name(CHECK_UNKNOWN), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_severities)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
