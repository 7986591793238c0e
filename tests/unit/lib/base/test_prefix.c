/* SPDX-License-Identifier: MIT */
#include "lib/base/prefix.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

/* A socket's address; a text that is no address stands for a unix socket. */
static struct sockaddr_storage socket_address(const char *text)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    if (prefix_address_parse(AF_INET, slice_of(text), &v4->sin_addr) == 0)
        address.ss_family = AF_INET;
    else if (prefix_address_parse(AF_INET6, slice_of(text), &v6->sin6_addr) == 0)
        address.ss_family = AF_INET6;
    return address;
}

static void test_parse(void **state)
{
    static const struct {
        struct slice text;
        int want; /* bits of the prefix, -1: no address or network, -2: bits behind the prefix */
    } rows[] = {
        {{NULL, 0}, -1},
        {SLICE_BYTES(""), -1},
        {SLICE_BYTES("0.0.0.0/0"), 96},
        {SLICE_BYTES("128.0.0.0/1"), 97},
        {SLICE_BYTES("192.0.2.0/23"), 119},
        {SLICE_BYTES("192.0.2.0/24"), 120},
        {SLICE_BYTES("192.0.2.255/31"), -2},
        {SLICE_BYTES("192.0.2.254/31"), 127},
        {SLICE_BYTES("192.0.2.255/32"), 128},
        {SLICE_BYTES("192.0.2.255/33"), -1},
        {SLICE_BYTES("192.0.2.1"), 128},
        {SLICE_BYTES("0.0.0.1/0"), -2},
        {SLICE_BYTES("192.0.2.0/22"), -2},
        {SLICE_BYTES("::/0"), 0},
        {SLICE_BYTES("::1/0"), -2},
        {SLICE_BYTES("8000::/1"), 1},
        {SLICE_BYTES("fd00::/8"), 8},
        {SLICE_BYTES("fd00::/7"), -2},
        {SLICE_BYTES("2001:db8::/32"), 32},
        {SLICE_BYTES("2001:DB8::1"), 128},
        {SLICE_BYTES("2001:db8::1/127"), -2},
        {SLICE_BYTES("2001:db8::1/128"), 128},
        {SLICE_BYTES("2001:db8::1/129"), -1},
        {SLICE_BYTES("::ffff:192.0.2.0/120"), 120},
        {SLICE_BYTES("::ffff:192.0.2.0/24"), -2},
        {SLICE_BYTES("192.0.2.0/"), -1},
        {SLICE_BYTES("192.0.2.0/x"), -1},
        {SLICE_BYTES("192.0.2.0/+24"), -1},
        {SLICE_BYTES("192.0.2.0/-1"), -1},
        {SLICE_BYTES("192.0.2.0/24/24"), -1},
        {SLICE_BYTES("192.0.2.0/18446744073709551616"), -1},
        {SLICE_BYTES("192.0.2.0/255.255.255.0"), -1},
        {SLICE_BYTES("192.0.2.0/24\n"), -1},
        {SLICE_BYTES("/24"), -1},
        {SLICE_BYTES("192.0.2"), -1},
        {SLICE_BYTES("192.0.2.256"), -1},
        {SLICE_BYTES("192.0.02.1"), -1}, /* octal, to some */
        {SLICE_BYTES("192.0.2.1:443"), -1},
        {SLICE_BYTES("[2001:db8::1]"), -1},
        {SLICE_BYTES("fe80::1%lo"), -1},
        {SLICE_BYTES("192.0.2.1\0"), -1},
        {SLICE_BYTES("192.0.2.1\0/24"), -1},
        {SLICE_BYTES("192.0.2.1 "), -1},
        {SLICE_BYTES("localhost"), -1},
        {SLICE_BYTES("unix"), -1},
        {SLICE_BYTES("1111:2222:3333:4444:5555:6666:255.255.255.255"), 128}, /* the longest */
        {SLICE_BYTES("1111:2222:3333:4444:5555:6666:255.255.255.2555"), -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prefix network = {.n_bits = 1000};
        struct err err = {0};
        int result = prefix_parse(rows[i].text, &network, &err);
        int seen = (int)network.n_bits;

        if (result != 0 && network.n_bits == 1000)
            seen = strstr(err.msg, "bits behind") ? -2 : -1;
        if (seen != rows[i].want || (result == 0) != (rows[i].want >= 0))
            fail_msg("row %zu: wanted %d, saw %d with result %d '%s'", i, rows[i].want, seen,
                     result, err.msg);
        if (result != 0 && err.code != ERR_SYNTAX)
            fail_msg("row %zu: wanted ERR_SYNTAX, saw %d", i, err.code);
    }
}

static void test_contains(void **state)
{
    static const struct {
        const char *network, *address;
        bool want;
    } rows[] = {
        {"0.0.0.0/0", "0.0.0.0", true},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::", false},
        {"0.0.0.0/0", "::1", false},
        {"0.0.0.0/0", "::ffff:192.0.2.1", true},
        {"::/0", "::", true},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"::/0", "::ffff:192.0.2.1", false},
        {"192.0.2.1", "192.0.2.0", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "::192.0.2.1", false},
        {"192.0.2.0/24", "192.0.1.255", false},
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/23", "192.0.3.255", true},
        {"192.0.2.0/23", "192.0.4.0", false},
        {"128.0.0.0/1", "127.255.255.255", false},
        {"128.0.0.0/1", "128.0.0.0", true},
        {"::ffff:192.0.2.0/120", "192.0.2.7", true},
        {"::ffff:192.0.2.0/120", "192.0.3.7", false},
        {"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::", false},
        {"fe80::/10", "fe80::1", true},
        {"::/0", "a unix socket", false},
        {"0.0.0.0/0", "a unix socket", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_storage address = socket_address(rows[i].address);
        struct prefix network;
        struct err err;

        assert_int_equal(prefix_parse(slice_of(rows[i].network), &network, &err), 0);
        if (prefix_contains(&network, (const struct sockaddr *)&address) != rows[i].want)
            fail_msg("row %zu: wanted %s in %s to be %d", i, rows[i].address, rows[i].network,
                     rows[i].want);
    }
}

static void test_address_parse(void **state)
{
    unsigned char bytes[PREFIX_BYTES] = {0};

    (void)state;
    assert_int_equal(prefix_address_parse(AF_INET, slice_of("192.0.2.1"), bytes), 0);
    assert_memory_equal(bytes, "\xc0\x00\x02\x01", 4);
    assert_int_equal(prefix_address_parse(AF_INET6, slice_of("2001:db8::1"), bytes), 0);
    assert_memory_equal(bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    assert_int_equal(prefix_address_parse(AF_INET, slice_of("2001:db8::1"), bytes), -1);
    assert_int_equal(prefix_address_parse(AF_INET6, slice_of("192.0.2.1"), bytes), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_address_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
