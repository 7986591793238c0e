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

/* Written from docs.dnscontrol.org, language-reference: D_EXTEND, IGNORE, TXT, CNAME, TTL. */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_dnscontrol, "dnscontrol.js");
}

/* What is left alone is both that can stand at the name, at its label and nowhere else. */
static void test_withheld(void **state)
{
    static const struct dns_record records[] = {
        {.zone = "b", .name = "b", .type = RECORD_TXT, .withheld = "not\nyet"},
        {.zone = "b", .name = "a.b", .type = RECORD_TXT, .withheld = "not yet"},
    };
    char *seen = printed(&dns_format_dnscontrol, records, ARRAY_LEN(records));

    (void)state;
    assert_string_equal(strstr(seen, "D_EXTEND(\""), "D_EXTEND(\"b\", [\n"
                                                     "  // withheld: not\\x0ayet\n"
                                                     "  IGNORE(\"@\", \"TXT,CNAME\"),\n"
                                                     "  // withheld: not yet\n"
                                                     "  IGNORE(\"a\", \"TXT,CNAME\"),\n"
                                                     "]);\n");
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_withheld),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
