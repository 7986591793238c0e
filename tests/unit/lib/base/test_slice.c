/* SPDX-License-Identifier: MIT */
#include "lib/base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_of(void **state)
{
    (void)state;
    assert_null(slice_of(NULL).ptr);
    assert_int_equal(slice_of(NULL).len, 0);
    assert_int_equal(slice_of("").len, 0);
    assert_int_equal(slice_of("ab").len, 2);
}

static void test_range(void **state)
{
    static const struct {
        size_t from, to;
        const char *want;
    } rows[] = {
        {0, 0, ""}, {0, 1, "a"}, {0, 3, "abc"}, {0, 4, "abc"},       {3, 3, ""},
        {4, 4, ""}, {2, 1, ""},  {1, 2, "b"},   {1, SIZE_MAX, "bc"}, {SIZE_MAX, SIZE_MAX, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice seen = slice_range(slice_of("abc"), rows[i].from, rows[i].to);

        if (!slice_eq_text(seen, rows[i].want))
            fail_msg("row %zu: wanted '%s', saw '%.*s'", i, rows[i].want, SLICE_ARG(seen));
    }
    assert_null(slice_range((struct slice){NULL, 0}, 0, 1).ptr);
}

static void test_equality(void **state)
{
    static const struct {
        struct slice a, b;
        bool same, same_nocase;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, true, true},
        {{NULL, 0}, SLICE_BYTES(""), true, true},
        {SLICE_BYTES(""), SLICE_BYTES("a"), false, false},
        {SLICE_BYTES("a"), SLICE_BYTES("a"), true, true},
        {SLICE_BYTES("a"), SLICE_BYTES("A"), false, true},
        {SLICE_BYTES("az"), SLICE_BYTES("AZ"), false, true},
        {SLICE_BYTES("a"), SLICE_BYTES("b"), false, false},
        {SLICE_BYTES("a"), SLICE_BYTES("ab"), false, false},
        {SLICE_BYTES("a\0b"), SLICE_BYTES("a\0b"), true, true},
        {SLICE_BYTES("a\0b"), SLICE_BYTES("a\0c"), false, false},
        {SLICE_BYTES("[`{@"), SLICE_BYTES("{@[`"), false, false},
        {SLICE_BYTES("@"), SLICE_BYTES("`"), false, false},
        {SLICE_BYTES("["), SLICE_BYTES("{"), false, false},
        {SLICE_BYTES("\xc3\xbc"), SLICE_BYTES("\xc3\x9c"), false,
         false}, /* U+00FC, U+00DC: ASCII only */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool same = slice_eq(rows[i].a, rows[i].b);
        bool same_nocase = slice_eq_nocase(rows[i].a, rows[i].b);

        if (same != rows[i].same || same_nocase != rows[i].same_nocase)
            fail_msg("row %zu: wanted %d and %d without case, saw %d and %d", i, rows[i].same,
                     rows[i].same_nocase, same, same_nocase);
    }
    assert_true(slice_eq_text((struct slice)SLICE_BYTES("ab"), "ab"));
    assert_false(slice_eq_text((struct slice)SLICE_BYTES("ab\0"), "ab"));
}

static void test_ends(void **state)
{
    static const struct {
        struct slice slice;
        const char *text;
        bool starts, ends;
    } rows[] = {
        {{NULL, 0}, "", true, true},
        {{NULL, 0}, "a", false, false},
        {SLICE_BYTES("ab"), "", true, true},
        {SLICE_BYTES("ab"), "ab", true, true},
        {SLICE_BYTES("ab"), "a", true, false},
        {SLICE_BYTES("ab"), "b", false, true},
        {SLICE_BYTES("ab"), "A", false, false},
        {SLICE_BYTES("ab"), "abc", false, false},
        {SLICE_BYTES("a\0"), "a", true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool starts = slice_starts_with(rows[i].slice, rows[i].text);
        bool ends = slice_ends_with(rows[i].slice, rows[i].text);

        if (starts != rows[i].starts || ends != rows[i].ends)
            fail_msg("row %zu: wanted start %d, end %d; saw %d, %d", i, rows[i].starts,
                     rows[i].ends, starts, ends);
    }
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void test_compare(void **state)
{
    static const struct {
        struct slice a, b;
        int want;
    } rows[] = {
        {{NULL, 0}, {NULL, 0}, 0},
        {{NULL, 0}, SLICE_BYTES("a"), -1},
        {SLICE_BYTES("a"), SLICE_BYTES("a"), 0},
        {SLICE_BYTES("a"), SLICE_BYTES("ab"), -1},
        {SLICE_BYTES("ab"), SLICE_BYTES("b"), -1},
        {SLICE_BYTES("Z"), SLICE_BYTES("a"), -1},
        {SLICE_BYTES("a\0a"), SLICE_BYTES("a\0b"), -1},
        {SLICE_BYTES("\x7f"), SLICE_BYTES("\x80"), -1}, /* unsigned, whatever char is */
        {SLICE_BYTES("\x01"), SLICE_BYTES("\xff"), -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int seen = sign(slice_compare(rows[i].a, rows[i].b));
        int reverse = sign(slice_compare(rows[i].b, rows[i].a));

        if (seen != rows[i].want || reverse != -rows[i].want)
            fail_msg("row %zu: wanted %d, saw %d and, turned round, %d", i, rows[i].want, seen,
                     reverse);
    }
}

static void test_find_byte(void **state)
{
    (void)state;
    assert_int_equal(slice_find_byte((struct slice){NULL, 0}, 'a'), 0);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("abab"), 'a'), 0);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("abab"), 'b'), 1);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("abab"), 'c'), 4);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("ab"), '\0'), 2);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("a\0b"), 'b'), 2);
    assert_int_equal(slice_find_byte((struct slice)SLICE_BYTES("a\xff"), '\xff'), 1);
}

static void test_trim(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {NULL, ""},
        {"", ""},
        {" ", ""},
        {" \t ", ""},
        {"a", "a"},
        {" a", "a"},
        {"a\t", "a"},
        {"\ta b ", "a b"},
        {"\r\na\r\n", "\r\na\r\n"},
        {"\va\f", "\va\f"},
        {"\xc2\xa0", "\xc2\xa0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice seen = slice_trim(slice_of(rows[i].text));

        if (!slice_eq_text(seen, rows[i].want))
            fail_msg("row %zu: wanted '%s', saw '%.*s'", i, rows[i].want, SLICE_ARG(seen));
    }
}

static void test_to_u64(void **state)
{
    enum { UNTOUCHED = 7 };
    static const struct {
        struct slice text;
        uint64_t max;
        int result;
        uint64_t want;
    } rows[] = {
        {SLICE_BYTES("0"), 0, 0, 0},
        {SLICE_BYTES("1"), 0, -1, UNTOUCHED},
        {SLICE_BYTES("1"), 1, 0, 1},
        {SLICE_BYTES("2"), 1, -1, UNTOUCHED},
        {SLICE_BYTES("18446744073709551615"), UINT64_MAX, 0, UINT64_MAX},
        {SLICE_BYTES("18446744073709551616"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("18446744073709551620"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("184467440737095516150"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("99999999999999999999999999"), UINT64_MAX, -1, UNTOUCHED},
        {{NULL, 0}, UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES(""), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("007"), 7, 0, 7},
        {SLICE_BYTES("00000000000000000000000000000001"), 1, 0, 1},
        {SLICE_BYTES("-1"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("+1"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES(" 1"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("1 "), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("1\n"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("1\0"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("0x1"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("1/"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("1:"), UINT64_MAX, -1, UNTOUCHED},
        {SLICE_BYTES("\xd9\xa1"), UINT64_MAX, -1, UNTOUCHED}, /* U+0661, a digit elsewhere */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t seen = UNTOUCHED;
        int result = slice_to_u64(rows[i].text, rows[i].max, &seen);

        if (result != rows[i].result || seen != rows[i].want)
            fail_msg("row %zu: wanted %d and %ju, saw %d and %ju", i, rows[i].result,
                     (uintmax_t)rows[i].want, result, (uintmax_t)seen);
    }
}

/* All 256 bytes against the ranges spelled out, because isalpha() may not be asked. */
static void test_ascii_classes(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        bool is_upper = i >= 0x41 && i <= 0x5a, is_lower = i >= 0x61 && i <= 0x7a;
        bool is_digit = i >= 0x30 && i <= 0x39;
        char byte = (char)i, lower = (char)(is_upper ? i + 0x20 : i);

        if (ascii_is_alpha(byte) != (is_upper || is_lower) || ascii_is_digit(byte) != is_digit ||
            ascii_is_alnum(byte) != (is_upper || is_lower || is_digit) ||
            ascii_to_lower(byte) != lower)
            fail_msg("byte 0x%02x: wanted alpha %d, digit %d, lower 0x%02x; saw %d, %d, 0x%02x",
                     (unsigned)i, is_upper || is_lower, is_digit, (unsigned char)lower,
                     ascii_is_alpha(byte), ascii_is_digit(byte),
                     (unsigned char)ascii_to_lower(byte));
    }
}

static int shown(int precision, const char *text)
{
    return text ? precision : -1;
}

static void test_printf_arguments(void **state)
{
    (void)state;
    assert_int_equal(shown(SLICE_ARG(((struct slice){NULL, 0}))), 0);
    assert_int_equal(shown(SLICE_ARG((struct slice)SLICE_BYTES("ab"))), 2);
    assert_int_equal(shown(SLICE_ARG(((struct slice){"", INT_MAX}))), INT_MAX);
    /* A negative precision would mean "none", and the print run on to the next NUL. */
    assert_int_equal(shown(SLICE_ARG(((struct slice){"", (size_t)INT_MAX + 1}))), INT_MAX);
    assert_int_equal(shown(SLICE_ARG(((struct slice){"", SIZE_MAX}))), INT_MAX);
}

static void test_take_field(void **state)
{
    struct slice rest = slice_of("a  bc");

    (void)state;
    assert_true(slice_eq_text(slice_take_field(&rest, ' '), "a"));
    assert_true(slice_eq_text(slice_take_field(&rest, ' '), ""));
    assert_true(slice_eq_text(rest, "bc"));
    assert_true(slice_eq_text(slice_take_field(&rest, ' '), "bc"));
    assert_int_equal(rest.len, 0);
    assert_int_equal(slice_take_field(&rest, ' ').len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_find_byte),
        cmocka_unit_test(test_take_field),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_to_u64),
        cmocka_unit_test(test_ascii_classes),
        cmocka_unit_test(test_printf_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
