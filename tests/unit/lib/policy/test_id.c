/* SPDX-License-Identifier: MIT */
#include "lib/policy/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define TWO_MX                                                                        \
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.example.net\r\n" \
    "max_age: 604800\r\n"

/*
 * Frozen: an id that changes without its body makes every sender fetch again, and one that stays
 * makes none. Each is `printf '<body>' | sha256sum | cut -c1-32`, with '\0<salt>' at the end.
 */
static void test_golden(void **state)
{
    static const struct {
        struct slice body, salt;
        const char *want;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, "e3b0c44298fc1c149afbf4c8996fb924"},
        {SLICE_BYTES(""), SLICE_BYTES(""), "e3b0c44298fc1c149afbf4c8996fb924"},
        {SLICE_BYTES(TWO_MX), {NULL, 0}, "d0594ec30a38ea91dec7d1bc3d2f4e3d"},
        {SLICE_BYTES(TWO_MX), SLICE_BYTES("2"), "d8204612cf2c123f5d9102904fa85a3b"},
        {SLICE_BYTES(TWO_MX), SLICE_BYTES("salt-2"), "ad25e47fbf2fb664e430fc66e31f8957"},
        {SLICE_BYTES(TWO_MX "2"), SLICE_BYTES(""), "7172ae7e8260f48c805d67626fcb2e9d"},
        {SLICE_BYTES("version: STSv1\nmode: enforce\nmx: mx1.example.com\nmx: *.example.net\n"
                     "max_age: 604800\n"),
         {NULL, 0},
         "6e1aaf0a84ed94106ebacaba92d07f02"},
        {SLICE_BYTES("version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"),
         {NULL, 0},
         "94815eb6141fb6e5526888bf66f98f76"},
        {SLICE_BYTES("version: STSv1\r\nmode: testing\r\nmx: *.mail.protection.outlook.com\r\n"
                     "max_age: 1209600\r\n"),
         {NULL, 0},
         "d1c99682d2554e012b8913f22780e671"},
        {SLICE_BYTES("a\0b"), {NULL, 0}, "59b271ae1bbcb1d31d41929817f4b16f"},
        {SLICE_BYTES("a\0b"), SLICE_BYTES("c"), "8badde10c760e9b702defb4b5e225de7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char seen[POLICY_ID_LEN + 1];

        policy_id_compute(rows[i].body, rows[i].salt, seen);
        if (!slice_eq_text(slice_of(seen), rows[i].want))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
