/* SPDX-License-Identifier: MIT */
#include "lib/dns/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define LABEL_63 SIXTY "klm"
#define THREE_LABELS LABEL_63 "." LABEL_63 "." LABEL_63 "." /* 192 octets */

#define UE "\xc3\xbc"
#define FORTY_UE "\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc.\xc3\xbc."
#define MANY_LABELS FORTY_UE FORTY_UE FORTY_UE FORTY_UE FORTY_UE

static void test_good(void **state)
{
    static const struct {
        struct slice text;
        const char *want;
    } rows[] = {
        {SLICE_BYTES("a"), "a"},
        {SLICE_BYTES("a."), "a"},
        {SLICE_BYTES("example.com"), "example.com"},
        {SLICE_BYTES("example.com."), "example.com"},
        {SLICE_BYTES("EXAMPLE.Com"), "example.com"},
        {SLICE_BYTES("1and1.com"), "1and1.com"},
        {SLICE_BYTES("4.3.2.1.example"), "4.3.2.1.example"},
        {SLICE_BYTES("a--b.r3---sn.com"), "a--b.r3---sn.com"},
        {SLICE_BYTES("xn.com"), "xn.com"},
        {SLICE_BYTES("axn--b.com"), "axn--b.com"},
        {SLICE_BYTES(LABEL_63), LABEL_63},
        {SLICE_BYTES(THREE_LABELS SIXTY "k"), THREE_LABELS SIXTY "k"}, /* 253 octets */
        {SLICE_BYTES(THREE_LABELS SIXTY "k."), THREE_LABELS SIXTY "k"},
        {SLICE_BYTES("xn--bcher-kva.example"), "xn--bcher-kva.example"},
        {SLICE_BYTES("XN--BCHER-KVA.EXAMPLE."), "xn--bcher-kva.example"},
        {SLICE_BYTES("b" UE "cher.example"), "xn--bcher-kva.example"},
        {SLICE_BYTES("B\xc3\x9c"
                     "CHER.Example."),
         "xn--bcher-kva.example"},
        {SLICE_BYTES("bu\xcc\x88"
                     "cher.example"),
         "xn--bcher-kva.example"},                       /* u and a combining diaeresis */
        {SLICE_BYTES("fa\xc3\x9f.de"), "xn--fa-hia.de"}, /* not fass.de: non-transitional */
        {SLICE_BYTES("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x80\x82jp\xe3\x80\x82"),
         "xn--wgv71a119e.jp"},                    /* ideographic full stops */
        {SLICE_BYTES("\xef\xbd\x81.de"), "a.de"}, /* a full-width a */
        {SLICE_BYTES("b" UE ".xn--bcher-kva.de"), "xn--b-eha.xn--bcher-kva.de"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char seen[DNS_NAME_MAX + 1], again[DNS_NAME_MAX + 1];
        struct err err;
        size_t len;

        if (dns_name_parse(rows[i].text, seen, &len, &err) != 0)
            fail_msg("row %zu: wanted %s, saw '%s'", i, rows[i].want, err.msg);
        if (strcmp(seen, rows[i].want) != 0 || len != strlen(seen))
            fail_msg("row %zu: wanted %s, saw %s (%zu)", i, rows[i].want, seen, len);
        if (dns_name_parse(slice_of(seen), again, NULL, &err) != 0 || strcmp(again, seen) != 0)
            fail_msg("row %zu: %s is not its own stored form", i, seen);
    }
}

static const struct {
    struct slice text;
    enum err_code code;
    const char *want; /* what the message holds */
} refused[] = {
    {{NULL, 0}, ERR_SYNTAX, "is empty"},
    {SLICE_BYTES(""), ERR_SYNTAX, "is empty"},
    {SLICE_BYTES("."), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES(".."), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES(".a"), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES("a..b"), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES("a.."), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES(UE "..de"), ERR_SYNTAX, "has an empty label"},
    {SLICE_BYTES("\xc2\xad.de"), ERR_SYNTAX, "has an empty label"}, /* nothing but a soft hyphen */
    {SLICE_BYTES("\xc2\xad"), ERR_SYNTAX, "is empty"},
    {SLICE_BYTES(LABEL_63 "n"), ERR_LIMIT, "has a label of more than 63 octets"},
    {SLICE_BYTES(LABEL_63 "n.com"), ERR_LIMIT, "has a label of more than 63 octets"},
    {SLICE_BYTES(THREE_LABELS SIXTY "kl"), ERR_LIMIT, "is longer than 253 octets"},
    {SLICE_BYTES(THREE_LABELS SIXTY "kl."), ERR_LIMIT, "is longer than 253 octets"},
    {SLICE_BYTES(UE SIXTY), ERR_LIMIT, "has a label of more than 63 octets"},
    {SLICE_BYTES(MANY_LABELS UE), ERR_LIMIT, "is longer than 253 octets"}, /* as A-labels */
    {SLICE_BYTES(UE THREE_LABELS THREE_LABELS THREE_LABELS THREE_LABELS THREE_LABELS THREE_LABELS),
     ERR_LIMIT, "is longer than 253 octets"},
    {SLICE_BYTES("-a.com"), ERR_SYNTAX, "has a label that begins or ends with a hyphen"},
    {SLICE_BYTES("a-.com"), ERR_SYNTAX, "has a label that begins or ends with a hyphen"},
    {SLICE_BYTES("-"), ERR_SYNTAX, "has a label that begins or ends with a hyphen"},
    {SLICE_BYTES("-" UE ".com"), ERR_SYNTAX, "hyphen"},
    {SLICE_BYTES("1"), ERR_SYNTAX, "ends in a number, as addresses do and names do not"},
    {SLICE_BYTES("192.0.2.1"), ERR_SYNTAX, "ends in a number"},
    {SLICE_BYTES("192.0.2.1."), ERR_SYNTAX, "ends in a number"},
    {SLICE_BYTES("example.1"), ERR_SYNTAX, "ends in a number"},
    {SLICE_BYTES("\xef\xbc\x91"), ERR_SYNTAX, "ends in a number"}, /* a full-width 1 */
    {SLICE_BYTES("_mta-sts.a.com"), ERR_SYNTAX, "has '_' in it"},
    {SLICE_BYTES("a b.com"), ERR_SYNTAX, "has ' ' in it"},
    {SLICE_BYTES("a.com "), ERR_SYNTAX, "has ' ' in it"},
    {SLICE_BYTES("a@b.com"), ERR_SYNTAX, "has '@' in it"},
    {SLICE_BYTES("*.b.com"), ERR_SYNTAX, "has '*' in it"},
    {SLICE_BYTES("2001:db8::1"), ERR_SYNTAX, "has ':' in it"},
    {SLICE_BYTES("a.com\r\n"), ERR_SYNTAX, "has '\\x0d' in it"},
    {SLICE_BYTES("a.com\n"), ERR_SYNTAX, "has '\\x0a' in it"},
    {SLICE_BYTES("a\0.com"), ERR_SYNTAX, "has '\\x00' in it"},
    {SLICE_BYTES(UE "\0.com"), ERR_SYNTAX, "has '\\x00' in it"},
    {SLICE_BYTES(UE "_.com"), ERR_SYNTAX, "in it; letters, digits and inner hyphens may be"},
    {SLICE_BYTES(UE "\xef\xbc\x8f.com"), ERR_SYNTAX, "not a valid"}, /* a full-width slash */
    {SLICE_BYTES("\xff.com"), ERR_SYNTAX, "is not valid UTF-8"},
    {SLICE_BYTES("b\xc3"), ERR_SYNTAX, "is not valid UTF-8"},
    {SLICE_BYTES("\xed\xa0\x80.com"), ERR_SYNTAX, "is not valid UTF-8"},
    {SLICE_BYTES("xn--.com"), ERR_SYNTAX, "is not a valid internationalised name"},
    {SLICE_BYTES("xn--bcher-kv.com"), ERR_SYNTAX, "is not a valid internationalised name"},
    {SLICE_BYTES("XN--0000h.com"), ERR_SYNTAX, "is not a valid internationalised name"},
    {SLICE_BYTES("i\xe2\x9d\xa4.ws"), ERR_SYNTAX, "disallowed character"}, /* a heart */
    {SLICE_BYTES("xn--i-7iq.ws"), ERR_SYNTAX, "disallowed character"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char name[DNS_NAME_MAX + 1] = "untouched";
        struct err err;
        size_t len = 77;

        if (dns_name_parse(refused[i].text, name, &len, &err) != -1)
            fail_msg("row %zu: wanted '%s', saw %s", i, refused[i].want, name);
        if (err.code != refused[i].code || !strstr(err.msg, refused[i].want) || err.place.line != 0)
            fail_msg("row %zu: wanted %d '%s', saw %d '%s'", i, (int)refused[i].code,
                     refused[i].want, (int)err.code, err.msg);
        if (strcmp(name, "untouched") != 0 || len != 77)
            fail_msg("row %zu: the results were touched", i);
    }
}

static void test_is_within(void **state)
{
    static const struct {
        const char *name, *zone;
        bool want;
    } rows[] = {
        {"example.com", "example.com", true},
        {"a.example.com", "example.com", true},
        {"b.a.example.com", "example.com", true},
        {"example.com", "com", true},
        {"example.com", "a.example.com", false},
        {"notexample.com", "example.com", false},
        {"example.org", "example.com", false},
        {"a.example.org", "example.com", false},
        {"com", "example.com", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (dns_name_is_within(slice_of(rows[i].name), slice_of(rows[i].zone)) != rows[i].want)
            fail_msg("row %zu: wanted %s within %s to be %d", i, rows[i].name, rows[i].zone,
                     rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_is_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
