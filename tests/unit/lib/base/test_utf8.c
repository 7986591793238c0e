/* SPDX-License-Identifier: MIT */
#include "lib/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* First and last of every form in RFC 3629 4, and the neighbours that no form has. */
static void test_char_len(void **state)
{
    static const struct {
        struct slice bytes;
        size_t want;
    } rows[] = {
        {{NULL, 0}, 0},
        {SLICE_BYTES("\0"), 1},
        {SLICE_BYTES("\x7f"), 1},
        {SLICE_BYTES("\x80"), 0},
        {SLICE_BYTES("\xbf"), 0},
        {SLICE_BYTES("\xc0\x80"), 0}, /* overlong NUL */
        {SLICE_BYTES("\xc1\xbf"), 0},
        {SLICE_BYTES("\xc2\x7f"), 0},
        {SLICE_BYTES("\xc2\x80"), 2},
        {SLICE_BYTES("\xdf\xbf"), 2},
        {SLICE_BYTES("\xdf\xc0"), 0},
        {SLICE_BYTES("\xc2"), 0},
        {SLICE_BYTES("\xe0\x9f\xbf"), 0}, /* overlong U+07FF */
        {SLICE_BYTES("\xe0\xa0\x80"), 3},
        {SLICE_BYTES("\xec\xbf\xbf"), 3},
        {SLICE_BYTES("\xed\x9f\xbf"), 3},
        {SLICE_BYTES("\xed\xa0\x80"), 0}, /* surrogate U+D800 */
        {SLICE_BYTES("\xed\xbf\xbf"), 0},
        {SLICE_BYTES("\xee\x80\x80"), 3},
        {SLICE_BYTES("\xef\xbf\xbf"), 3},
        {SLICE_BYTES("\xef\xbf\x7f"), 0},
        {SLICE_BYTES("\xef\xbf\xc0"), 0},
        {SLICE_BYTES("\xef\xbf"), 0},
        {SLICE_BYTES("\xf0\x8f\xbf\xbf"), 0}, /* overlong U+FFFF */
        {SLICE_BYTES("\xf0\x90\x80\x80"), 4},
        {SLICE_BYTES("\xf3\xbf\xbf\xbf"), 4},
        {SLICE_BYTES("\xf4\x8f\xbf\xbf"), 4},
        {SLICE_BYTES("\xf4\x90\x80\x80"), 0}, /* U+110000 */
        {SLICE_BYTES("\xf4\x8f\xbf"), 0},
        {SLICE_BYTES("\xf4\x8f\x7f\xbf"), 0},
        {SLICE_BYTES("\xf5\x80\x80\x80"), 0},
        {SLICE_BYTES("\xff"), 0},
        {SLICE_BYTES("ab"), 1},
        {SLICE_BYTES("\xc3\xbc\xff"), 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t seen = utf8_char_len(rows[i].bytes);

        if (seen != rows[i].want)
            fail_msg("row %zu: wanted %zu, saw %zu", i, rows[i].want, seen);
    }
}

static void test_is_valid(void **state)
{
    static const struct {
        struct slice bytes;
        bool want;
    } rows[] = {
        {{NULL, 0}, true},
        {SLICE_BYTES("a"), true},
        {SLICE_BYTES("a\0b"), true},
        {SLICE_BYTES("b\xc3\xbc"
                     "cher\r\n"),
         true},
        {SLICE_BYTES("\xff"), false},
        {SLICE_BYTES("a\xff"), false},
        {SLICE_BYTES("\xc3\xbc\xc3"), false},
        {SLICE_BYTES("\xc3\xbc\xbc"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool seen = utf8_is_valid(rows[i].bytes);

        if (seen != rows[i].want)
            fail_msg("row %zu: wanted %d, saw %d", i, rows[i].want, seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_char_len),
        cmocka_unit_test(test_is_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
