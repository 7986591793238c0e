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

/* Written from octodns.readthedocs.io/en/latest: "records" (TXT, CNAME, "octodns: ignored") and
 * "api/providers" (YamlProvider). */
static void test_golden(void **state)
{
    (void)state;
    assert_golden(&dns_format_octodns, "octodns.yaml");
}

/* As natsort 8.0.2 sorts them, and in the order of bytes what is equal to it ("a01-x", "a1-x"). */
static void test_natural_order(void **state)
{
    static const char *const names[] = {
        "",    "0a",    "00b",  "1",     "01.a",
        "1.b", "2",     "10",   "a",     "a0",
        "a1",  "a01-x", "a1-x", "a1.b",  "a2",
        "a9",  "a10",   "a10.", "a10a",  "a18446744073709551616",
        "a-",  "a-1-2", "a-b",  "a-b.c", "a.b",
        "b",
    };
    struct dns_record records[ARRAY_LEN(names)];
    const struct dns_record *order[ARRAY_LEN(names)];
    char text[ARRAY_LEN(names)][64];

    (void)state;
    /* From three orders: as it is, backwards, and cut like a pack of cards. */
    for (size_t turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            size_t from[] = {i, ARRAY_LEN(names) - 1 - i, (i * 7) % ARRAY_LEN(names)};
            const char *name = names[from[turn]];

            snprintf(text[i], sizeof(text[i]), "%s%szone", name, name[0] == '\0' ? "" : ".");
            records[i] = (struct dns_record){.zone = "zone", .name = text[i]};
            order[i] = &records[i];
        }
        dns_format_octodns.sort(order, ARRAY_LEN(names));
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            struct slice seen = dns_relative_name(order[i], "");

            if (!slice_eq_text(seen, names[i]))
                fail_msg("turn %zu, place %zu: wanted '%s', saw '%.*s'", turn, i, names[i],
                         SLICE_ARG(seen));
        }
    }
}

/* One key a name, whatever stands at it. */
static void test_set(void **state)
{
    static const struct dns_record records[] = {
        {.zone = "b", .name = "a.b", .type = RECORD_A, .ttl_s = 1, .value = "192.0.2.1"},
        {.zone = "b", .name = "a.b", .type = RECORD_AAAA, .ttl_s = 2, .value = "::1"},
        {.zone = "b", .name = "b", .type = RECORD_TXT, .ttl_s = 3, .value = "';'"},
    };
    static const char want[] = "'':\n"
                               "- ttl: 3\n  type: TXT\n  values:\n  - '''\\;'''\n"
                               "a:\n"
                               "- ttl: 1\n  type: A\n  values:\n  - '192.0.2.1'\n"
                               "- ttl: 2\n  type: AAAA\n  values:\n  - '::1'\n";
    char *seen = printed(&dns_format_octodns, records, ARRAY_LEN(records));
    const char *first = strstr(seen, "'':");

    (void)state;
    assert_non_null(first);
    assert_string_equal(first, want);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_natural_order),
        cmocka_unit_test(test_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
