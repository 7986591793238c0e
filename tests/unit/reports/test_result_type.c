/* SPDX-License-Identifier: MIT */
#include "reports/result_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_classes(void **state)
{
    static const struct {
        const char *name;
        enum result_class class;
    } rows[] = {
        {NULL, RESULT_UNKNOWN},
        {"", RESULT_UNKNOWN},
        {"Testing", RESULT_UNKNOWN},
        {"starttls-not-supported", RESULT_NEGOTIATION},
        {"certificate-host-mismatch", RESULT_NEGOTIATION},
        {"certificate-expired", RESULT_NEGOTIATION},
        {"certificate-not-trusted", RESULT_NEGOTIATION},
        {"validation-failure", RESULT_NEGOTIATION},
        {"Validation-Failure", RESULT_NEGOTIATION},
        {"validation-failure ", RESULT_UNKNOWN},
        {"sts-policy-fetch-error", RESULT_POLICY_HOST},
        {"sts-policy-invalid", RESULT_POLICY_HOST},
        {"sts-webpki-invalid", RESULT_POLICY_HOST},
        {"tlsa-invalid", RESULT_DANE},
        {"dnssec-invalid", RESULT_DANE},
        {"dane-required", RESULT_DANE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct result_type *type = result_type_find(rows[i].name);

        if (type->class != rows[i].class || !type->means || !type->advice)
            fail_msg("row %zu: expected class %d, found %d", i, rows[i].class, type->class);
        assert_int_equal(!type->name, type->class == RESULT_UNKNOWN);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
