/* SPDX-License-Identifier: MIT */
#include "lib/dns/report_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_uri_fault(void **state)
{
    static const char no_address[] = "has no address", no_host[] = "has no host";
    static const struct {
        struct slice uri;
        const char *want; /* what the fault begins with; NULL: none */
    } rows[] = {
        {{NULL, 0}, "is empty"},
        {SLICE_BYTES("mailto:"), no_address},
        {SLICE_BYTES("mailto:@"), no_address},
        {SLICE_BYTES("mailto:a"), no_address},
        {SLICE_BYTES("mailto:a@"), no_address},
        {SLICE_BYTES("mailto:@b"), no_address},
        {SLICE_BYTES("mailto:?to=a@b"), no_address},
        {SLICE_BYTES("mailto:a@b"), NULL},
        {SLICE_BYTES("MailTo:a@b"), NULL},
        {SLICE_BYTES("mailto:a%21@b?subject=c@d"), NULL},
        {SLICE_BYTES("https:"), no_host},
        {SLICE_BYTES("https:/"), no_host},
        {SLICE_BYTES("https://"), no_host},
        {SLICE_BYTES("https:///a"), no_host},
        {SLICE_BYTES("https://:443/"), no_host},
        {SLICE_BYTES("https://a@/"), no_host},
        {SLICE_BYTES("https://?a"), no_host},
        {SLICE_BYTES("https://#a"), no_host},
        {SLICE_BYTES("https:a.example/"), no_host},
        {SLICE_BYTES("https://a"), NULL},
        {SLICE_BYTES("HTTPS://A:443"), NULL},
        {SLICE_BYTES("https://a@b:8443/c?d=e#f"), NULL},
        {SLICE_BYTES("https://[2001:db8::1]/"), NULL},
        {SLICE_BYTES("http://a"), "is neither mailto: nor https:"},
        {SLICE_BYTES("a@b"), "is an e-mail address; write mailto: before it"},
        {SLICE_BYTES("mailto"), "is neither mailto: nor https:"},
        {SLICE_BYTES("https"), "is neither mailto: nor https:"},
        {SLICE_BYTES(":"), "is neither mailto: nor https:"},
        {SLICE_BYTES("mailto :a@b"), "is neither mailto: nor https:"},
        {SLICE_BYTES("mailto:a!b@c"), "has '!' in it, which is written %21"},
        {SLICE_BYTES("mailto:a,b@c"), "has two addresses"},
        {SLICE_BYTES("https://a/b,c"), "has ',' in it, which is written %2C"},
        {SLICE_BYTES("mailto:a@b!10m"), "ends in a size limit"},
        {SLICE_BYTES("mailto:a@b!5"), "ends in a size limit"},
        {SLICE_BYTES("mailto:a@b,c@d"), "has two addresses"},
        {SLICE_BYTES("mailto:a@b, mailto:c@d"), "has two addresses"},
        {SLICE_BYTES("mailto: a@b"), "has a space after its ':'; remove it"},
        {SLICE_BYTES("mailto:a@b "), "ends in a space; remove it"},
        {SLICE_BYTES(" mailto:a@b"), "begins with a space; remove it"},
        {SLICE_BYTES("mailto:<a@b>"), "has its address in <>"},
        {SLICE_BYTES("<mailto:a@b>"), "is in <>"},
        {SLICE_BYTES("<a@b>"), "is in <>"},
        {SLICE_BYTES("rua=mailto:a@b"), "has something before mailto:"},
        {SLICE_BYTES("v=TLSRPTv1; rua=mailto:a@b"), "has something before mailto:"},
        {SLICE_BYTES("\"mailto:a@b\""), "begins with a quote"},
        {SLICE_BYTES("'mailto:a@b'"), "begins with a quote"},
        {SLICE_BYTES("mailto:\xe2\x80\x9c"
                     "a@b"),
         "has a typographic"},
        {SLICE_BYTES("mailto:x@example.com."), "ends in a dot"},
        {SLICE_BYTES("mailto:a@b@example.com"), "has two '@'"},
        {SLICE_BYTES("mailto:a@b@c?subject=x"), "has two '@'"},
        {SLICE_BYTES("mailto:a@b..c"), "has nothing before, after or between dots"},
        {SLICE_BYTES("mailto:a@.b"), "has nothing before"},
        {SLICE_BYTES("mailto:.a@b"), "has nothing before"},
        {SLICE_BYTES("mailto:a.@b"), "has nothing before"},
        {SLICE_BYTES("mailto:a..b@c"), "has nothing before"},
        {SLICE_BYTES("mailto:%22a..b%22@c"), NULL},
        {SLICE_BYTES("mailto:a.b@c.example"), NULL},
        {SLICE_BYTES("mailto:a%2Cb@c.example"), NULL},
        {SLICE_BYTES("mailto:a@b%2Cc@d.example"), NULL},
        {SLICE_BYTES("mailto:a@b.%2cc@d.example"), "ends in a dot"},
        {SLICE_BYTES("mailto:a@b%2C"), NULL},
        {SLICE_BYTES("mailto://a@b.example"), NULL},
        {SLICE_BYTES("https://a/;b"), "has ';' in it, which is written %3B"},
        {SLICE_BYTES("https://a/ b"), "has a space in it, which is written %20"},
        {SLICE_BYTES("https://a/\""), "has '\"' in it, which is written %22"},
        {SLICE_BYTES("https://a/\\"), "has '\\' in it, which is written %5C"},
        {SLICE_BYTES("https://{domain}/"), "has '{' in it, which is written %7B"},
        {SLICE_BYTES("https://a/\t"), "has a control character in it"},
        {SLICE_BYTES("https://a/\n"), "has a control character in it"},
        {SLICE_BYTES("https://a/\x7f"), "has a control character in it"},
        {SLICE_BYTES("mailto:a@b\0"), "has a control character in it"},
        {SLICE_BYTES("https://b\xc3\xbc"), "has a character outside of ASCII in it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *seen = tls_rpt_uri_fault(rows[i].uri), *want = rows[i].want;

        if (want ? !seen || strncmp(seen, want, strlen(want)) != 0 : seen != NULL)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, want ? want : "no fault",
                     seen ? seen : "no fault");
    }
}

static void test_uri_doubt(void **state)
{
    static const struct {
        struct slice uri;
        const char *want; /* what the doubt begins with; NULL: none */
    } rows[] = {
        {SLICE_BYTES("mailto:a@b.example"), NULL},
        {SLICE_BYTES("mailto:a@b.example?subject=c@d"), NULL},
        {SLICE_BYTES("https://reports"), NULL},
        {SLICE_BYTES("mailto://a@b.example"), "has '//' after mailto:"},
        {SLICE_BYTES("mailto:a@example"), "has a domain without a dot"},
        {SLICE_BYTES("mailto:a@example?subject=b.c"), "has a domain without a dot"},
        {SLICE_BYTES("mailto:a@192.0.2.1"), "has an address in place of a domain"},
        {SLICE_BYTES("mailto:a@[192.0.2.1]"), "has an address in place of a domain"},
        {SLICE_BYTES("mailto:a@%5B192.0.2.1%5D"), "has an address in place of a domain"},
        {SLICE_BYTES("mailto:a@b%2Cc@d.example"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *seen = tls_rpt_uri_doubt(rows[i].uri), *want = rows[i].want;

        if (want ? !seen || strncmp(seen, want, strlen(want)) != 0 : seen != NULL)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, want ? want : "no doubt",
                     seen ? seen : "no doubt");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_fault),
        cmocka_unit_test(test_uri_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
