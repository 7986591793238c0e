/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    } /* NULs inside count */

/* First and last of every form in RFC 3629 4, and the neighbours that no form has. */
static void test_char_len(void **state)
{
    static const struct {
        struct slice bytes;
        size_t want;
    } rows[] = {
        {{NULL, 0}, 0},
        {BYTES("\0"), 1},
        {BYTES("\x7f"), 1},
        {BYTES("\x80"), 0},
        {BYTES("\xbf"), 0},
        {BYTES("\xc0\x80"), 0}, /* overlong NUL */
        {BYTES("\xc1\xbf"), 0},
        {BYTES("\xc2\x7f"), 0},
        {BYTES("\xc2\x80"), 2},
        {BYTES("\xdf\xbf"), 2},
        {BYTES("\xdf\xc0"), 0},
        {BYTES("\xc2"), 0},
        {BYTES("\xe0\x9f\xbf"), 0}, /* overlong U+07FF */
        {BYTES("\xe0\xa0\x80"), 3},
        {BYTES("\xec\xbf\xbf"), 3},
        {BYTES("\xed\x9f\xbf"), 3},
        {BYTES("\xed\xa0\x80"), 0}, /* surrogate U+D800 */
        {BYTES("\xed\xbf\xbf"), 0},
        {BYTES("\xee\x80\x80"), 3},
        {BYTES("\xef\xbf\xbf"), 3},
        {BYTES("\xef\xbf\x7f"), 0},
        {BYTES("\xef\xbf\xc0"), 0},
        {BYTES("\xef\xbf"), 0},
        {BYTES("\xf0\x8f\xbf\xbf"), 0}, /* overlong U+FFFF */
        {BYTES("\xf0\x90\x80\x80"), 4},
        {BYTES("\xf3\xbf\xbf\xbf"), 4},
        {BYTES("\xf4\x8f\xbf\xbf"), 4},
        {BYTES("\xf4\x90\x80\x80"), 0}, /* U+110000 */
        {BYTES("\xf4\x8f\xbf"), 0},
        {BYTES("\xf4\x8f\x7f\xbf"), 0},
        {BYTES("\xf5\x80\x80\x80"), 0},
        {BYTES("\xff"), 0},
        {BYTES("ab"), 1},
        {BYTES("\xc3\xbc\xff"), 2},
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
        {BYTES("a"), true},
        {BYTES("a\0b"), true},
        {BYTES("b\xc3\xbc"
               "cher\r\n"),
         true},
        {BYTES("\xff"), false},
        {BYTES("a\xff"), false},
        {BYTES("\xc3\xbc\xc3"), false},
        {BYTES("\xc3\xbc\xbc"), false},
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
