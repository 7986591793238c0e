/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dns/format_row.h"
#include "lib/dns/sample.h"

static void test_sample(void **state)
{
    static const char want[] =
        "zone example.com.\n"
        "update delete _mta-sts.example.com.\n"
        "update add _mta-sts.example.com. 300 IN CNAME _mta-sts.example.com.sts.example.\n"
        "update delete mta-sts.example.com.\n"
        "update add mta-sts.example.com. 3600 IN CNAME policy.example.\n"
        "; withheld: _mta-sts.a.example.com. 300 IN TXT \"v=STSv1; id=0a;\": "
        "no certificate\\x0ax IN A 192.0.2.9\n"
        "update delete mta-sts.a.example.com. CNAME\n"
        "update delete mta-sts.a.example.com. A\n"
        "update delete mta-sts.a.example.com. AAAA\n"
        "update add mta-sts.a.example.com. 0 IN A 192.0.2.1\n"
        "update add mta-sts.a.example.com. 0 IN A 192.0.2.2\n"
        "update add mta-sts.a.example.com. 0 IN AAAA 2001:db8::1\n"
        "send\n"
        "zone sts.example.\n"
        "update delete _mta-sts.example.com.sts.example. CNAME\n"
        "update delete _mta-sts.example.com.sts.example. TXT\n"
        "update add _mta-sts.example.com.sts.example. 2147483647 IN TXT \"v=STSv1; id=1b;\"\n"
        "update delete _smtp._tls.example.com.sts.example. CNAME\n"
        "update delete _smtp._tls.example.com.sts.example. TXT\n"
        "update add _smtp._tls.example.com.sts.example. 3600 IN TXT "
        "\"v=TLSRPTv1; rua=mailto:\\\"\\\\\\\"@example.com\"\n"
        "send\n";
    char *seen = printed(&dns_format_nsupdate, sample, ARRAY_LEN(sample));

    (void)state;
    assert_string_equal(seen, want);
    free(seen);
}

static void test_ipv6_only(void **state)
{
    char *seen = printed(&dns_format_nsupdate, &sample[5], 1);

    (void)state;
    assert_string_equal(seen, "zone example.com.\n"
                              "update delete mta-sts.a.example.com. CNAME\n"
                              "update delete mta-sts.a.example.com. A\n"
                              "update delete mta-sts.a.example.com. AAAA\n"
                              "update add mta-sts.a.example.com. 0 IN AAAA 2001:db8::1\n"
                              "send\n");
    free(seen);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

/* A message has at most 50 records, also when the border falls on addresses of one name or on a
 * withheld record; a name's records are deleted once all the same. */
static void test_message_size(void **state)
{
    static const struct {
        size_t n_records, n_send;
    } rows[] = {{1, 1}, {49, 1}, {50, 1}, {51, 2}, {100, 2}, {101, 3}};
    static const struct dns_record *const kinds[] = {&sample[0], &sample[2], &sample[3]};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t kind = 0; kind < ARRAY_LEN(kinds); kind++) {
            struct dns_record records[101];
            char *seen;

            for (size_t k = 0; k < rows[i].n_records; k++)
                records[k] = *kinds[kind];
            seen = printed(&dns_format_nsupdate, records, rows[i].n_records);
            if (count(seen, "\nsend\n") != rows[i].n_send ||
                count(seen, "zone example.com.\n") != rows[i].n_send ||
                count(seen, "IN ") < rows[i].n_records || count(seen, "update delete") > 3)
                fail_msg("row %zu: wanted %zu messages, saw %s", i, rows[i].n_send, seen);
            free(seen);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_ipv6_only),
        cmocka_unit_test(test_message_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
