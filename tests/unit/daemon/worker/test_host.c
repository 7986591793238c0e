/* SPDX-License-Identifier: MIT */
#include "daemon/worker/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define LABEL_63 SIXTY "klm"
#define LONGEST LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY "k" /* 253 octets */

static void test_parse(void **state)
{
    static const struct {
        struct slice authority;
        const char *want; /* NULL: refused */
    } rows[] = {
        {SLICE_BYTES(""), NULL},
        {SLICE_BYTES("a"), "a"},
        {SLICE_BYTES(LONGEST), LONGEST},
        {SLICE_BYTES(LONGEST ".:65535"), LONGEST},
        {SLICE_BYTES(LONGEST "l"), NULL},
        {SLICE_BYTES(LABEL_63 "n.example"), NULL},
        {SLICE_BYTES("mta-sts.example.com"), "mta-sts.example.com"},
        {SLICE_BYTES("MTA-STS.Example.COM"), "mta-sts.example.com"},
        {SLICE_BYTES("example.com."), "example.com"},
        {SLICE_BYTES("example.com.."), NULL},
        {SLICE_BYTES("."), NULL},
        {SLICE_BYTES("a..b"), NULL},
        {SLICE_BYTES("example.com:"), "example.com"}, /* RFC 3986 3.2.3: *DIGIT */
        {SLICE_BYTES("example.com:0"), "example.com"},
        {SLICE_BYTES("example.com:443"), "example.com"},
        {SLICE_BYTES("example.com.:443"), "example.com"},
        {SLICE_BYTES("example.com:65536"), NULL},
        {SLICE_BYTES("example.com:-1"), NULL},
        {SLICE_BYTES("example.com:443x"), NULL},
        {SLICE_BYTES("example.com:443:443"), NULL},
        {SLICE_BYTES(":443"), NULL},
        {SLICE_BYTES("user@example.com"), NULL},
        {SLICE_BYTES("example.com/"), NULL},
        {SLICE_BYTES("*.example.com"), NULL},
        {SLICE_BYTES("_mta-sts.example.com"), NULL},
        {SLICE_BYTES(" example.com"), NULL},
        {SLICE_BYTES("example.com\r\n"), NULL},
        {SLICE_BYTES("example.com\0.evil"), NULL},
        {SLICE_BYTES("b\xc3\xbc"
                     "cher.example"),
         NULL},
        {SLICE_BYTES("xn--bcher-kva.example"), "xn--bcher-kva.example"},
        {SLICE_BYTES("ex\xe3\x80\x82"
                     "ample"),
         NULL}, /* an ideographic full stop */
        {SLICE_BYTES("[2001:db8::1]"), NULL},
        {SLICE_BYTES("[2001:db8::1]:443"), NULL},
        {SLICE_BYTES("2001:db8::1"), NULL},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char host[DNS_NAME_MAX + 1] = "untouched";
        int result = host_parse(rows[i].authority, host);
        const char *want = rows[i].want ? rows[i].want : "untouched";

        if (result == (rows[i].want ? 0 : -1) && strcmp(host, want) == 0)
            continue;
        print_error("row %zu: wanted '%s', seen %d and '%s'\n", i, want, result, host);
        n_failed++;
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
