/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dns/format_row.h"
#include "lib/dns/golden.h"

/* Written from registry.terraform.io/providers/hashicorp/aws/latest/docs: resources/route53_record
 * ("records": a TXT of more than 255 octets) and data-sources/route53_zone. */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_terraform_route53, "terraform-route53.tf");
}

/* The provider adds the outer quotes; those between strings have nothing between them. */
static void test_strings(void **state)
{
    static const size_t rows[] = {0, 1, 254, 255, 256, 510, 511};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char value[512] = "", want[600] = "  records = [\"", *end = want + strlen(want), *seen;
        struct dns_record record = {.zone = "a", .name = "a", .type = RECORD_TXT, .value = value};

        memset(value, 'x', rows[i]);
        for (size_t k = 0; k < rows[i]; k++)
            end = stpcpy(end, k > 0 && k % 255 == 0 ? "\\\"\\\"x" : "x");
        stpcpy(end, "\"]\n}\n");
        seen = printed(&dns_format_terraform_route53, &record, 1);
        if (strcmp(strstr(seen, "  records"), want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, want, seen);
        free(seen);
    }
}

/* The address of a resource says what is published, not how: see terraform.h. */
static void test_address(void **state)
{
    static const struct {
        enum record_type type;
        const char *withheld, *want;
    } rows[] = {
        {RECORD_TXT, NULL, "\"_a_b\" {"},       {RECORD_TXT, "not yet", "\"_a_b\" {"},
        {RECORD_CNAME, NULL, "\"_a_b\" {"},     {RECORD_A, NULL, "\"_a_b\" {"},
        {RECORD_AAAA, NULL, "\"_a_b_aaaa\" {"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_record record = {.zone = "b",
                                    .name = "_a.b",
                                    .type = rows[i].type,
                                    .value = "x",
                                    .withheld = rows[i].withheld};
        char *seen = printed(&dns_format_terraform_route53, &record, 1);

        if (!strstr(seen, rows[i].want))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
