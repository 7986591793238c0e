/* SPDX-License-Identifier: MIT */
#include "reports/checked_failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/check_finding.h"
#include "lib/base/slice.h"
#include "reports/check_results.h"
#include "reports/report_tally.h"

/* Errors about certificates and STARTTLS, and answers of the policy host, all count. */
static enum result_class class_by_name(const struct check_row *row)
{
    static const struct {
        const char *prefix;
        enum result_class class;
    } prefixes[] = {{"mx-cert-", RESULT_NEGOTIATION},
                    {"starttls-", RESULT_NEGOTIATION},
                    {"cert-", RESULT_POLICY_HOST},
                    {"http-", RESULT_POLICY_HOST}};

    for (size_t i = 0; row->severity == CHECK_ERROR && i < ARRAY_LEN(prefixes); i++)
        if (slice_starts_with(slice_of(row->code), prefixes[i].prefix))
            return prefixes[i].class;
    return RESULT_UNKNOWN;
}

static void test_codes(void **state)
{
    size_t n = 0;

    (void)state;
    for (int i = 0; i < CHECK_FINDING_COUNT; i++) {
        const struct check_row *row = check_row_of((enum check_finding)i);
        enum result_class class = checked_failure_class(row->code);

        n += class != RESULT_UNKNOWN;
        if (class != RESULT_UNKNOWN && row->severity != CHECK_ERROR)
            fail_msg("%s is no error, and counts", row->code);
        if (class_by_name(row) != RESULT_UNKNOWN && class != class_by_name(row))
            fail_msg("%s is not of the class %d", row->code, class_by_name(row));
    }
    assert_int_equal(n, 40); /* so that each code of the table is one of the check's */
    assert_int_equal(checked_failure_class("tlsa-mismatch"), RESULT_UNKNOWN);
    assert_int_equal(checked_failure_class("smtp-unreachable"), RESULT_UNKNOWN);
    assert_int_equal(checked_failure_class(""), RESULT_UNKNOWN);
}

static void test_same(void **state)
{
    static const struct {
        const char *code, *subject, *mx;
        enum result_class class;
        bool is_same;
    } rows[] = {
        {"mx-cert-expired", "mx.example [192.0.2.1]", "mx.example", RESULT_NEGOTIATION, true},
        {"mx-cert-expired", "mx.example", "MX.example.", RESULT_NEGOTIATION, true},
        {"mx-cert-expired", "mx.example", NULL, RESULT_NEGOTIATION, true},
        {"mx-cert-expired", "mx.example", "mx.example2", RESULT_NEGOTIATION, false},
        {"mx-cert-expired", "mx.example", "x.example", RESULT_NEGOTIATION, false},
        {"mx-cert-expired", "mx.example", "", RESULT_NEGOTIATION, false},
        {"mx-cert-expired", "mx.example", "mx.example", RESULT_POLICY_HOST, false},
        {"mx-cert-expired", "mx.example", "mx.example", RESULT_UNKNOWN, false},
        {"mx-cert-expired", "mx.example", "mx.example", RESULT_DANE, false},
        {"mx-all-elsewhere", NULL, "mx.example", RESULT_NEGOTIATION, true},
        {"cert-expired", "192.0.2.1", "mx.example", RESULT_POLICY_HOST, true},
        {"cert-expired", "192.0.2.1", NULL, RESULT_NEGOTIATION, false},
        {"smtp-unreachable", "mx.example", "mx.example", RESULT_NEGOTIATION, false},
        {"smtp-unreachable", "mx.example", "mx.example", RESULT_UNKNOWN, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct checked_kind kind = {.code = rows[i].code};
        const struct checked_finding finding = {.kind = &kind, .subject = rows[i].subject};
        const struct failure_tally failure = {.class = rows[i].class, .mx = rows[i].mx};

        if (checked_failure_is_same(&finding, &failure) != rows[i].is_same)
            fail_msg("row %zu: expected %d", i, rows[i].is_same);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes),
                                              cmocka_unit_test(test_same)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
