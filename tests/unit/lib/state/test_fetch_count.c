/* SPDX-License-Identifier: MIT */
#include "lib/state/fetch_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINE "example.com google 12 1764370000 1764373000 203.0.113.0/24"

static void test_line(void **state)
{
    struct fetch_count count;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_true(fetch_count_parse(slice_of(LINE), &count));
    assert_true(slice_eq_text(count.domain, "example.com"));
    assert_int_equal(count.sender, FETCH_SENDER_GOOGLE);
    assert_int_equal(count.n, 12);
    assert_int_equal(count.first_unix_s, 1764370000);
    assert_int_equal(count.last_unix_s, 1764373000);
    assert_true(slice_eq_text(count.prefix, "203.0.113.0/24"));
    fetch_count_print(&count, out);
    fclose(out);
    assert_string_equal(text, LINE "\n");
    free(text);
}

static void test_damaged(void **state)
{
    static const char *const lines[] = {
        "",
        "example.com",
        "example.com google",
        "example.com google 12 1764370000 1764373000",
        "example.com google 12 1764370000 1764373000 ",
        "example.com google 12 1764370000 1764373000 - more",
        " google 12 1764370000 1764373000 -",
        "example.com nobody 12 1764370000 1764373000 -",
        "example.com google -1 1764370000 1764373000 -",
        "example.com google 99999999999999999999 1764370000 1764373000 -",
        "example.com google 12 x 1764373000 -",
        "example.com google 12 1764370000 1764373000 --",
        "example.com google 12 1764370000 1764373000 <b>",
        "example.com google 12 1764370000 1764373000 192.0.2.0/24\033[31m",
        "a.test google 1 1 2 0000000000000000000000000000000000000000000000000000000000000000",
    };
    struct fetch_count count = {.n = 7};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_false(fetch_count_parse(slice_of(lines[i]), &count));
    assert_int_equal(count.n, 7);
}

static void test_head(void **state)
{
    int64_t at_unix_us = 0;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fetch_count_print_head(INT64_C(1764370000123456), out);
    fclose(out);
    assert_string_equal(text, "mta-stsd fetches 1 1764370000123456\n");
    assert_true(fetch_count_parse_head(slice_range(slice_of(text), 0, len - 1), &at_unix_us));
    assert_int_equal(at_unix_us, INT64_C(1764370000123456));
    assert_false(fetch_count_parse_head(slice_of("mta-stsd fetches 2 1"), &at_unix_us));
    assert_false(fetch_count_parse_head(slice_of("mta-stsd fetches 1 "), &at_unix_us));
    assert_false(fetch_count_parse_head(slice_of("mta-stsd fetches 1 1 1"), &at_unix_us));
    assert_false(fetch_count_parse_head(slice_of(LINE), &at_unix_us));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
