/* SPDX-License-Identifier: MIT */
#include "lib/diag/config_finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static bool is_code(const char *code)
{
    return code[0] >= 'a' && code[0] <= 'z' &&
           strspn(code, "abcdefghijklmnopqrstuvwxyz-") == strlen(code);
}

/* A row left out of the table would be NULLs. */
static void test_rows(void **state)
{
    (void)state;
    for (int i = FINDING_NONE; i < FINDING_COUNT; i++) {
        const struct finding_row *row = finding_row((enum finding)i);

        if (!row->code || !is_code(row->code) || !row->meaning || row->meaning[0] == '\0')
            fail_msg("row %d: wanted a code and a meaning, saw '%s'", i,
                     row->code ? row->code : "");
        if (row->level >= LEVEL_COUNT)
            fail_msg("row %d: wanted a level, saw %d", i, (int)row->level);
    }
}

static void test_order_of_levels(void **state)
{
    (void)state;
    for (int i = FINDING_NONE + 2; i < FINDING_COUNT; i++)
        if (finding_row((enum finding)i)->level < finding_row((enum finding)(i - 1))->level)
            fail_msg("row %d: wanted errors, then warnings, then notes; saw '%s'", i,
                     finding_row((enum finding)i)->code);
}

/* Finds each by its code, which no earlier row may share. */
static void test_find(void **state)
{
    (void)state;
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
        enum finding seen = finding_find(slice_of(finding_row((enum finding)i)->code));

        if (seen != (enum finding)i)
            fail_msg("row %d: wanted itself, saw %d", i, (int)seen);
    }
    assert_int_equal(finding_find((struct slice){NULL, 0}), FINDING_NONE);
    assert_int_equal(finding_find(slice_of("none")), FINDING_NONE);
    assert_int_equal(finding_find(slice_of("syntax ")), FINDING_NONE);
    assert_int_equal(finding_find(slice_of("Syntax")), FINDING_NONE);
    assert_int_equal(finding_find((struct slice){"syntax", 7}), FINDING_NONE);
}

/* People have these in `allow:` lists and searches; they never change once released. */
static void test_frozen_codes(void **state)
{
    (void)state;
    assert_string_equal(finding_row(FINDING_MX_POLICY_HOST)->code, "mx-is-policy-host");
    assert_string_equal(finding_row(FINDING_MAX_AGE_SHORT)->code, "max-age-short");
    assert_int_equal(finding_row(FINDING_MAX_AGE_SHORT)->level, LEVEL_WARNING);
}

static void test_bit(void **state)
{
    finding_set all = 0;

    (void)state;
    for (int i = FINDING_NONE; i < FINDING_COUNT; i++) {
        finding_set bit = finding_bit((enum finding)i);

        if (bit == 0 || (bit & (bit - 1)) != 0 || (all & bit) != 0)
            fail_msg("row %d: wanted one bit of its own, saw %#jx", i, (uintmax_t)bit);
        all |= bit;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows), cmocka_unit_test(test_order_of_levels),
        cmocka_unit_test(test_find), cmocka_unit_test(test_frozen_codes),
        cmocka_unit_test(test_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
