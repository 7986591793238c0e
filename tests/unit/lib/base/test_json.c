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

static void write_all(struct json_writer *writer)
{
    json_begin_object(writer, JSON_ON_LINES);
    json_text_member(writer, "text", "a\"b");
    json_text_member(writer, "null", NULL);
    json_number_member(writer, "number", UINT64_MAX);
    json_key(writer, "bool");
    json_bool(writer, true);
    json_key(writer, "no bool");
    json_bool(writer, false);
    json_key(writer, "raw");
    json_raw(writer, "3.5");
    json_key(writer, "empty");
    json_begin_object(writer, JSON_ON_LINES);
    json_end_object(writer);
    json_key(writer, "line");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    json_number(writer, 0);
    json_slice(writer, (struct slice){"ab", 1});
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_number_member(writer, "a", 1);
    json_number_member(writer, "b", 2);
    json_end_object(writer);
    json_begin_array(writer, JSON_ON_LINES);
    json_text(writer, "c");
    json_text(writer, "d");
    json_end_array(writer);
    json_begin_array(writer, JSON_ON_ONE_LINE);
    json_end_array(writer);
    json_end_array(writer);
    json_end_object(writer);
}

static void test_writer(void **state)
{
    char *seen = NULL;
    size_t len;
    struct json_writer writer = {.out = open_memstream(&seen, &len), .indent = 2};

    (void)state;
    write_all(&writer);
    fclose(writer.out);
    assert_string_equal(seen, "{\n"
                              "  \"text\": \"a\\\"b\",\n"
                              "  \"null\": null,\n"
                              "  \"number\": 18446744073709551615,\n"
                              "  \"bool\": true,\n"
                              "  \"no bool\": false,\n"
                              "  \"raw\": 3.5,\n"
                              "  \"empty\": {},\n"
                              "  \"line\": [0, \"a\", {\"a\": 1, \"b\": 2}, [\n"
                              "    \"c\",\n"
                              "    \"d\"\n"
                              "  ], []]\n"
                              "}");
    assert_int_equal(writer.depth, 0);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print_slice),
        cmocka_unit_test(test_print_text),
        cmocka_unit_test(test_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
