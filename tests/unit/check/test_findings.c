/* SPDX-License-Identifier: MIT */
#include "check/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_keeps_each_once(void **state)
{
    struct findings *findings = findings_new();

    (void)state;
    findings_add(findings, CHECK_TXT_MISSING, NULL, "a %d", 1);
    findings_add(findings, CHECK_TXT_MISSING, NULL, "a 1");
    findings_add(findings, CHECK_TXT_MISSING, "x", "a 1");
    findings_add(findings, CHECK_TXT_OTHERS, NULL, "a 1");
    assert_int_equal(findings_count(findings), 3);
    assert_null(findings_at(findings, 0)->subject);
    assert_string_equal(findings_at(findings, 1)->subject, "x");
    assert_int_equal(findings_of(findings, CHECK_ERROR), 2);
    assert_int_equal(findings_of(findings, CHECK_WARNING), 1);
    assert_true(findings_have(findings, CHECK_TXT_OTHERS));
    assert_false(findings_have(findings, CHECK_TXT_SYNTAX));
    findings_free(findings);
    findings_free(NULL);
}

static void test_is_bounded(void **state)
{
    struct findings *findings = findings_new();
    char text[2 * FINDINGS_TEXT_MAX];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    findings_add(findings, CHECK_TXT_MISSING, NULL, "%s", text);
    assert_int_equal(strlen(findings_at(findings, 0)->text), FINDINGS_TEXT_MAX - 1);
    assert_int_equal(findings_dropped(findings, CHECK_TXT_MISSING), 0);
    for (int i = 0; i < FINDINGS_OF_KIND_MAX + 2; i++)
        findings_add(findings, CHECK_TXT_MISSING, NULL, "%d", i);
    assert_int_equal(findings_count(findings), FINDINGS_OF_KIND_MAX);
    assert_int_equal(findings_dropped(findings, CHECK_TXT_MISSING), 3);
    findings_add(findings, CHECK_MX_ALL_ELSEWHERE, NULL, "not crowded out");
    assert_int_equal(findings_count(findings), FINDINGS_OF_KIND_MAX + 1);
    assert_int_equal(findings_dropped(findings, CHECK_MX_ALL_ELSEWHERE), 0);
    findings_free(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keeps_each_once),
                                       cmocka_unit_test(test_is_bounded)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
