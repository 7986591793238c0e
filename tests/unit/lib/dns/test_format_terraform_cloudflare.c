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

/* Written from registry.terraform.io/providers/cloudflare/cloudflare/latest/docs:
 * resources/dns_record ("ttl", "proxied") and data-sources/zone ("filter"); the quotes of a TXT
 * from developers.cloudflare.com/api, DNS records, "content" of a TXT. */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_terraform_cloudflare, "terraform-cloudflare.tf");
}

static void test_ttl(void **state)
{
    static const struct {
        uint32_t ttl_s;
        const char *want;
    } rows[] = {
        {0, "  ttl     = 60 # not 0: Cloudflare takes 60 to 86400\n"},
        {1, "  ttl     = 60 # not 1: Cloudflare takes 60 to 86400\n"},
        {59, "  ttl     = 60 # not 59: Cloudflare takes 60 to 86400\n"},
        {60, "  ttl     = 60\n"},
        {300, "  ttl     = 300\n"},
        {86400, "  ttl     = 86400\n"},
        {86401, "  ttl     = 86400 # not 86401: Cloudflare takes 60 to 86400\n"},
        {2147483647, "  ttl     = 86400 # not 2147483647: Cloudflare takes 60 to 86400\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_record record = {
            .zone = "a", .name = "a", .type = RECORD_TXT, .value = "x", .ttl_s = rows[i].ttl_s};
        char *seen = printed(&dns_format_terraform_cloudflare, &record, 1);

        if (!strstr(seen, rows[i].want))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

/* Known by the address, in the one form that Cloudflare hands back. */
static void test_addresses(void **state)
{
    static const struct {
        enum record_type type;
        const char *value, *want_name, *want_content;
    } rows[] = {
        {RECORD_A, "192.0.2.1", "\"a_b_192-0-2-1\"", "\"192.0.2.1\""},
        {RECORD_AAAA, "2001:DB8:0:0:0:0:0:1", "\"a_b_2001-db8--1\"", "\"2001:db8::1\""},
        {RECORD_AAAA, "::", "\"a_b_--\"", "\"::\""},
        {RECORD_AAAA, "::ffff:192.0.2.1", "\"a_b_--ffff-192-0-2-1\"", "\"::ffff:192.0.2.1\""},
        {RECORD_AAAA, "1:2:3:4:5:6:7:8", "\"a_b_1-2-3-4-5-6-7-8\"", "\"1:2:3:4:5:6:7:8\""},
        {RECORD_CNAME, "c.d", "\"a_b\"", "\"c.d\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_record record = {
            .zone = "b", .name = "a.b", .type = rows[i].type, .value = rows[i].value};
        char *seen = printed(&dns_format_terraform_cloudflare, &record, 1);

        if (!strstr(seen, rows[i].want_name) || !strstr(seen, rows[i].want_content) ||
            !strstr(seen, "\n  proxied = false\n"))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want_name, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_ttl),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
