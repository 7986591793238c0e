/* SPDX-License-Identifier: MIT */
#include "check/rdata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "lib/base/arena.h"

static void test_name(void **state)
{
    static const struct {
        struct slice rdata;
        const char *want; /* NULL: broken */
        size_t n_rest;
    } rows[] = {
        {SLICE_BYTES(""), NULL, 0},
        {SLICE_BYTES("\0"), ".", 0},
        {SLICE_BYTES("\3MX1\7example\0"), "mx1.example", 0},
        {SLICE_BYTES("\3mx1\7example\0xy"), "mx1.example", 2},
        {SLICE_BYTES("\3mx1"), NULL, 0},  /* no end */
        {SLICE_BYTES("\3mx"), NULL, 0},   /* a label beyond the data */
        {SLICE_BYTES("\300\0"), NULL, 0}, /* a pointer */
        {SLICE_BYTES("\3a.b\1\033\0"), "a\\046b.\\027", 0},
        {SLICE_BYTES("\1\\\0"), "\\092", 0},
    };
    char name[RDATA_NAME_SIZE];
    struct slice rest;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result = rdata_name(rows[i].rdata, name, &rest);

        if (result != (rows[i].want ? 0 : -1) ||
            (result == 0 && (strcmp(name, rows[i].want) != 0 || rest.len != rows[i].n_rest)))
            fail_msg("row %zu: %d '%s'", i, result, result == 0 ? name : "");
    }
}

/* 127 labels of one octet are 254 octets of the wire; one more is too long. */
static void test_name_is_bounded(void **state)
{
    char wire[2 * 129 + 1] = "", name[RDATA_NAME_SIZE];
    struct slice rest;

    (void)state;
    for (size_t i = 0; i < 129; i++)
        memcpy(wire + 2 * i, "\1\0", 2);
    wire[2 * 126] = 0;
    assert_int_equal(rdata_name((struct slice){wire, 2 * 126 + 1}, name, &rest), 0);
    assert_int_equal(strlen(name), 126 * 4 + 125);
    wire[2 * 126] = 1;
    wire[2 * 128] = 0;
    assert_int_equal(rdata_name((struct slice){wire, sizeof(wire)}, name, &rest), -1);
}

static void test_txt(void **state)
{
    struct arena *arena = arena_new(0);
    struct slice text;

    (void)state;
    assert_int_equal(rdata_txt((struct slice)SLICE_BYTES("\3abc\0\2de"), arena, &text), 0);
    assert_true(slice_eq_text(text, "abcde"));
    assert_int_equal(rdata_txt((struct slice)SLICE_BYTES(""), arena, &text), 0);
    assert_int_equal(text.len, 0);
    assert_int_equal(rdata_txt((struct slice)SLICE_BYTES("\4abc"), arena, &text), -1);
    arena_free(arena);
}

static void test_txt_count(void **state)
{
    (void)state;
    assert_int_equal(rdata_txt_count((struct slice)SLICE_BYTES("")), 0);
    assert_int_equal(rdata_txt_count((struct slice)SLICE_BYTES("\3abc")), 1);
    assert_int_equal(rdata_txt_count((struct slice)SLICE_BYTES("\3abc\0\2de")), 3);
    assert_int_equal(rdata_txt_count((struct slice)SLICE_BYTES("\4abc")), 1);
}

static void test_mx(void **state)
{
    char host[RDATA_NAME_SIZE];
    uint16_t preference;

    (void)state;
    assert_int_equal(rdata_mx((struct slice)SLICE_BYTES("\1\2\2mx\0"), &preference, host), 0);
    assert_int_equal(preference, 258);
    assert_string_equal(host, "mx");
    assert_int_equal(rdata_mx((struct slice)SLICE_BYTES("\1"), &preference, host), -1);
    assert_int_equal(rdata_mx((struct slice)SLICE_BYTES("\1\2\2mx\0x"), &preference, host), -1);
}

static void test_address(void **state)
{
    struct sockaddr_storage address;
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;

    (void)state;
    assert_int_equal(rdata_address((struct slice)SLICE_BYTES("\1\2\3\4"), 25, &address), 0);
    assert_int_equal(ipv4->sin_family, AF_INET);
    assert_int_equal(ntohl(ipv4->sin_addr.s_addr), 0x01020304);
    assert_int_equal(ntohs(ipv4->sin_port), 25);
    assert_int_equal(rdata_address((struct slice)SLICE_BYTES("0123456789abcdef"), 25, &address), 0);
    assert_int_equal(ipv6->sin6_family, AF_INET6);
    assert_memory_equal(&ipv6->sin6_addr, "0123456789abcdef", 16);
    assert_int_equal(rdata_address((struct slice)SLICE_BYTES("\1\2\3"), 25, &address), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name), cmocka_unit_test(test_name_is_bounded),
        cmocka_unit_test(test_txt),  cmocka_unit_test(test_txt_count),
        cmocka_unit_test(test_mx),   cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
