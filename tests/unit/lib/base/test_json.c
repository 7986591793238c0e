/* SPDX-License-Identifier: MIT */
#include "lib/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "support/printed.h"

static void test_print_slice(void **state)
{
    static const struct {
        struct slice text;
        const char *want;
    } rows[] = {
        {{NULL, 0}, "\"\""},
        {SLICE_BYTES("a"), "\"a\""},
        {SLICE_BYTES("\"\\/"), "\"\\\"\\\\/\""},
        {SLICE_BYTES("\0"), "\"\\u0000\""},
        {SLICE_BYTES("\t\r\n"), "\"\\u0009\\u000d\\u000a\""},
        {SLICE_BYTES("\x1f \x7e\x7f"), "\"\\u001f ~\\u007f\""},
        {SLICE_BYTES("\xc2\x80\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009f\xc2\xa0\""},
        {SLICE_BYTES("b\xc3\xbc"), "\"b\xc3\xbc\""},
        {SLICE_BYTES("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\""},
        {SLICE_BYTES("\xff"), "\"\\ufffd\""},
        {SLICE_BYTES("a\xc3"), "\"a\\ufffd\""},
        {SLICE_BYTES("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
        {SLICE_BYTES("\xc3\"\xc3\xbc"), "\"\\ufffd\\\"\xc3\xbc\""}, /* the quote is not swallowed */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = printed_slice(json_print_slice, rows[i].text);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

static void test_print_text(void **state)
{
    char *seen = NULL;
    size_t len;
    FILE *out = open_memstream(&seen, &len);

    (void)state;
    json_print_text(NULL, out);
    json_print_text("", out);
    json_print_text("a\n", out);
    fclose(out);
    assert_string_equal(seen, "null\"\"\"a\\u000a\"");
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_slice),
        cmocka_unit_test(test_print_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
