/* SPDX-License-Identifier: MIT */
#include "check/check_wildcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/dns_source.h"
#include "lib/base/slice.h"

#define ANSWER(status_, canonical_)                               \
    {                                                             \
        .status = (status_), .canonical = (canonical_), .why = "" \
    }

static void test_possible(void **state)
{
    static const struct {
        struct dns_answer beside;
        bool want;
    } cases[] = {
        {ANSWER(DNS_OK, "x.a.example"), true},
        {ANSWER(DNS_NODATA, "x.a.example"), true},
        {ANSWER(DNS_NODATA, "www.a.example"), true},
        {ANSWER(DNS_NXDOMAIN, "x.a.example"), false},
        {ANSWER(DNS_NXDOMAIN, "gone.a.example"), true},
        {ANSWER(DNS_NXDOMAIN, ""), false},
        {ANSWER(DNS_BOGUS, "x.a.example"), false},
        {ANSWER(DNS_FAILED, ""), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (check_wildcard_is_possible(&cases[i].beside, "x.a.example") != cases[i].want)
            fail_msg("case %zu: expected %d", i, cases[i].want);
}

static void test_answers(void **state)
{
    static const struct {
        struct dns_answer own, beside, below;
        bool want;
    } cases[] = {
        /* "*" has records */
        {ANSWER(DNS_OK, "y"), ANSWER(DNS_OK, "x"), ANSWER(DNS_OK, "x.y"), true},
        /* and y has some of its own */
        {ANSWER(DNS_OK, "y"), ANSWER(DNS_OK, "x"), ANSWER(DNS_NXDOMAIN, "x.y"), false},
        /* "*.y" has records and "*" has none */
        {ANSWER(DNS_OK, "y"), ANSWER(DNS_NXDOMAIN, "x"), ANSWER(DNS_OK, "x.y"), false},
        /* y has none of this type */
        {ANSWER(DNS_NODATA, "y"), ANSWER(DNS_OK, "x"), ANSWER(DNS_NXDOMAIN, "x.y"), false},
        {ANSWER(DNS_NODATA, "y"), ANSWER(DNS_NODATA, "x"), ANSWER(DNS_NODATA, "x.y"), false},
        /* "*" is a CNAME to z */
        {ANSWER(DNS_OK, "z"), ANSWER(DNS_OK, "z"), ANSWER(DNS_OK, "z"), true},
        {ANSWER(DNS_NODATA, "z"), ANSWER(DNS_NODATA, "z"), ANSWER(DNS_NODATA, "z"), true},
        {ANSWER(DNS_NXDOMAIN, "z"), ANSWER(DNS_NXDOMAIN, "z"), ANSWER(DNS_NXDOMAIN, "z"), true},
        /* and y is one itself */
        {ANSWER(DNS_NODATA, "z"), ANSWER(DNS_NODATA, "z"), ANSWER(DNS_NXDOMAIN, "x.y"), false},
        {ANSWER(DNS_FAILED, ""), ANSWER(DNS_FAILED, ""), ANSWER(DNS_FAILED, ""), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct wildcard_answers answers = {&cases[i].own, &cases[i].beside, &cases[i].below};

        if (check_wildcard_answers(&answers) != cases[i].want)
            fail_msg("case %zu: expected %d", i, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_possible),
                                       cmocka_unit_test(test_answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
