/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dns/format_row.h"
#include "lib/dns/sample.h"

static void test_sample(void **state)
{
    static const char want[] =
        "; zone example.com\n"
        "_mta-sts.example.com.                      300 IN CNAME "
        "_mta-sts.example.com.sts.example.\n"
        "mta-sts.example.com.                      3600 IN CNAME policy.example.\n"
        "; withheld: _mta-sts.a.example.com.                    300 IN TXT   \"v=STSv1; id=0a;\": "
        "no certificate\\x0ax IN A 192.0.2.9\n"
        "mta-sts.a.example.com.                       0 IN A     192.0.2.1\n"
        "mta-sts.a.example.com.                       0 IN A     192.0.2.2\n"
        "mta-sts.a.example.com.                       0 IN AAAA  2001:db8::1\n"
        "\n"
        "; zone sts.example\n"
        "_mta-sts.example.com.sts.example.        2147483647 IN TXT   \"v=STSv1; id=1b;\"\n"
        "_smtp._tls.example.com.sts.example.       3600 IN TXT   "
        "\"v=TLSRPTv1; rua=mailto:\\\"\\\\\\\"@example.com\"\n";
    char *seen = printed(&dns_format_zone, sample, ARRAY_LEN(sample));

    (void)state;
    assert_string_equal(seen, want);
    free(seen);
}

static void test_long_name(void **state)
{
    static const struct dns_record record = {
        .zone = "example",
        .name = "a23456789.b23456789.c23456789.d23456789.example",
        .type = RECORD_CNAME,
        .ttl_s = 99999,
        .value = "a",
    };
    char *seen = printed(&dns_format_zone, &record, 1);

    (void)state;
    assert_string_equal(seen,
                        "; zone example\n"
                        "a23456789.b23456789.c23456789.d23456789.example. 99999 IN CNAME a.\n");
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
