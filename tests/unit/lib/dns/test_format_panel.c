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

#define HEADER "Name                             Type      TTL  Value\n"

static void test_sample(void **state)
{
    static const char want[] =
        "Zone example.com\n\n" HEADER
        "_mta-sts                         CNAME     300  _mta-sts.example.com.sts.example\n"
        "mta-sts                          CNAME    3600  policy.example\n"
        "_mta-sts.a                       TXT       300  (withheld, publish nothing yet: "
        "no certificate\\x0ax IN A 192.0.2.9)\n"
        "mta-sts.a                        A           0  192.0.2.1\n"
        "mta-sts.a                        A           0  192.0.2.2\n"
        "mta-sts.a                        AAAA        0  2001:db8::1\n"
        "\n"
        "Zone sts.example\n\n" HEADER
        "_mta-sts.example.com             TXT    2147483647  v=STSv1; id=1b;\n"
        "_smtp._tls.example.com           TXT      3600  v=TLSRPTv1; "
        "rua=mailto:\"\\\"@example.com\n";
    char *seen = printed(&dns_format_panel, sample, ARRAY_LEN(sample));

    (void)state;
    assert_string_equal(seen, want);
    free(seen);
}

static void test_name(void **state)
{
    static const struct {
        const char *name, *zone, *want;
    } rows[] = {
        {"mta-sts.example.com", "mta-sts.example.com", "@"},
        {"mta-sts.example.com", "example.com", "mta-sts"},
        {"mta-sts.example.com", "com", "mta-sts.example"},
        {"mta-sts.example.com", "ample.com", "mta-sts.example.com"}, /* not within the zone */
        {"mta-sts.example.com", "x.mta-sts.example.com", "mta-sts.example.com"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct dns_record record = {.zone = rows[i].zone, .name = rows[i].name, .value = ""};
        char *seen = printed(&dns_format_panel, &record, 1), want[200];

        snprintf(want, sizeof(want), "Zone %s\n\n" HEADER "%-32s TXT         0  \n", rows[i].zone,
                 rows[i].want);
        if (strcmp(seen, want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, want, seen);
        free(seen);
    }
}

/* A long TXT stays on one line, and a note says what the form must do with it. */
static void test_long_txt(void **state)
{
    static const size_t lengths[] = {0, 255, 256, 511};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char value[512] = "";
        struct dns_record record = {.zone = "a", .name = "a", .type = RECORD_TXT, .value = value};
        char *seen;

        memset(value, 'x', lengths[i]);
        seen = printed(&dns_format_panel, &record, 1);
        if (!strstr(seen, value) ||
            (strstr(seen, "\n  note: the value above has more than 255 octets") != NULL) !=
                (lengths[i] > 255))
            fail_msg("row %zu: saw %s", i, seen);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_long_txt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
