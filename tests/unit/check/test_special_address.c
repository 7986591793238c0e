/* SPDX-License-Identifier: MIT */
#include "check/special_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "lib/base/slice.h"

static void make_address(const char *text, struct sockaddr_storage *address)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;

    memset(address, 0, sizeof(*address));
    address->ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(
        inet_pton(address->ss_family, text,
                  strchr(text, ':') ? (void *)&ipv6->sin6_addr : (void *)&ipv4->sin_addr),
        1);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text, *kind;
    } rows[] = {
        {"1.0.0.0", NULL},
        {"0.0.0.0", "an address of no host"},
        {"9.255.255.255", NULL},
        {"10.0.0.0", "a private address"},
        {"10.255.255.255", "a private address"},
        {"11.0.0.0", NULL},
        {"100.64.0.1", "an address inside a provider's network"},
        {"127.0.0.1", "a loopback address"},
        {"169.254.169.254", "a link-local address"}, /* where clouds keep credentials */
        {"172.15.255.255", NULL},
        {"172.16.0.1", "a private address"},
        {"172.32.0.0", NULL},
        {"192.0.0.1", "a reserved address"},
        {"192.0.2.1", "an address for documentation"},
        {"192.88.99.1", "a reserved address"},
        {"192.168.1.1", "a private address"},
        {"198.18.0.1", "an address for benchmarks"},
        {"198.51.100.1", "an address for documentation"},
        {"203.0.113.1", "an address for documentation"},
        {"198.20.0.0", NULL},
        {"223.255.255.255", NULL},
        {"224.0.0.1", "a multicast address"},
        {"255.255.255.255", "a reserved address"},
        {"::1", "a reserved address"},
        {"::ffff:127.0.0.1", "a loopback address"},
        {"::ffff:8.8.8.8", NULL},
        {"64:ff9b::7f00:1", "an address of a translator"},
        {"100::1", "a reserved address"},
        {"2001::1", "a reserved address"},
        {"2001:db8::1", "an address for documentation"},
        {"3fff::1", "an address for documentation"},
        {"5f00::1", "a reserved address"},
        {"fec0::1", "a private address"},
        {"2002:7f00:1::", "an address of a tunnel"},
        {"2a00:1450::1", NULL},
        {"fd00::1", "a private address"},
        {"fe80::1", "a link-local address"},
        {"ff02::1", "a multicast address"},
    };
    struct sockaddr_storage address;
    char text[ADDRESS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *kind;

        make_address(rows[i].text, &address);
        kind = special_address_kind((struct sockaddr *)&address);
        if (!slice_eq(slice_of(kind), slice_of(rows[i].kind)))
            fail_msg("%s: %s", rows[i].text, kind ? kind : "ordinary");
        assert_string_equal(special_address_text((struct sockaddr *)&address, text), rows[i].text);
    }
}

/* What no question of DNS goes to is what is not contacted either. */
static void test_prefixes(void **state)
{
    struct sockaddr_storage address;
    const char *prefix;
    size_t n = 0;

    (void)state;
    for (; (prefix = special_address_prefix(n)); n++) {
        char text[ADDRESS_TEXT_SIZE];

        snprintf(text, sizeof(text), "%.*s", (int)strcspn(prefix, "/"), prefix);
        make_address(text, &address);
        assert_non_null(special_address_kind((struct sockaddr *)&address));
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_prefixes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
