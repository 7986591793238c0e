/* SPDX-License-Identifier: MIT */
#include "reports/json_tidy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define FFFD "\xef\xbf\xbd"

static void test_repairs(void **state)
{
    static const struct {
        struct slice in;
        const char *want; /* a message begins with '!' */
    } rows[] = {
        {SLICE_BYTES(""), "!is empty"},
        {SLICE_BYTES(" \r\n\t"), "!is empty"},
        {SLICE_BYTES("\xef\xbb\xbf"), "!is empty"},
        {SLICE_BYTES("[]"), "!is no JSON object"},
        {SLICE_BYTES("null"), "!is no JSON object"},
        {SLICE_BYTES("\"{}\""), "!is no JSON object"},
        {SLICE_BYTES("{"), "!ends within the JSON object: it is cut off"},
        {SLICE_BYTES("{\"a\":[}"), "!ends within the JSON object: it is cut off"},
        {SLICE_BYTES("{\"a"), "!ends within a text: it is cut off"},
        {SLICE_BYTES("{\"a\\"), "!ends within a text: it is cut off"},
        {SLICE_BYTES("{\"a\\\""), "!ends within a text: it is cut off"},
        {SLICE_BYTES("{}"), "{}"},
        {SLICE_BYTES("\xef\xbb\xbf {}"), "{}"},
        {SLICE_BYTES("{} \n"), "{}"},
        {SLICE_BYTES("{}garbage\0\""), "{}"},
        {SLICE_BYTES("{\"a\": \"}\"}}"), "{\"a\": \"}\"}"},
        {SLICE_BYTES("{\"\\\"\":\"\\\\\"}"), "{\"\\\"\":\"\\\\\"}"},
        {SLICE_BYTES("{\"a\":1,\"b\":-1.5e+400,\"c\":[18446744073709551616]}"),
         "{\"a\":\"1\",\"b\":\"-1.5e+400\",\"c\":[\"18446744073709551616\"]}"},
        {SLICE_BYTES("{\"a\":-}"), "{\"a\":\"-\"}"},
        {SLICE_BYTES("{\"a\":true,\"b\":null}"), "{\"a\":true,\"b\":null}"},
        {SLICE_BYTES("{\"a\":\"1\"}"), "{\"a\":\"1\"}"},
        {SLICE_BYTES("{\"a\xff\":\"\xc3\xa4\xc3\"}"), "{\"a" FFFD "\":\"\xc3\xa4" FFFD "\"}"},
        {SLICE_BYTES("{\"\n\r\t\0\x1f\":0}"), "{\"\\n\\r\\t" FFFD FFFD "\":\"0\"}"},
        {SLICE_BYTES("{\"\\ud800\\ud83d\\ude00\\udc00\\ud8\":0}"),
         "{\"" FFFD "\\ud83d\\ude00" FFFD "\\ud8\":\"0\"}"},
        {SLICE_BYTES("{\"\\uD800\\n\\u0000\\u0041\":0}"), "{\"" FFFD "\\n" FFFD "\\u0041\":\"0\"}"},
        {SLICE_BYTES("{\"\\u12x4\\u\":0}"), "{\"\\u12x4\\u\":\"0\"}"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice json = {0};
        struct err err = {0};
        char seen[512];

        if (json_tidy(rows[i].in, arena, &json, &err) != 0)
            snprintf(seen, sizeof(seen), "!%s", err.msg);
        else
            snprintf(seen, sizeof(seen), "%.*s", SLICE_ARG(json));
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
    }
    arena_free(arena);
}

/* `begin`, `n` times `again`, then `end`. */
static void test_limits(void **state)
{
    static const struct {
        const char *begin, *again;
        size_t n;
        const char *end, *want; /* NULL: good */
    } rows[] = {
        {"{\"a\":\"", "x", JSON_TIDY_TEXT_MAX, "\"}", NULL},
        {"{\"a\":\"", "x", JSON_TIDY_TEXT_MAX + 1, "\"}", "has a text of more than 65536 bytes"},
        {"{\"a\":", "[", JSON_TIDY_DEPTH_MAX - 1, "", "ends within the JSON object: it is cut off"},
        {"{\"a\":", "[", JSON_TIDY_DEPTH_MAX, "",
         "has more than 16 objects or arrays within one another"},
        {"{\"a\":", "[", 10000000, "", "has more than 16 objects or arrays within one another"},
        {"{\"a\":[", "{},", JSON_TIDY_CONTAINERS_MAX - 2, "1]}", NULL},
        {"{\"a\":[", "{},", JSON_TIDY_CONTAINERS_MAX - 1, "1]}",
         "has more than 20000 objects and arrays"},
        {"{\"a\":[", "1,", JSON_TIDY_VALUES_MAX - 1, "1]}", NULL},
        {"{\"a\":[", "1,", JSON_TIDY_VALUES_MAX, "1]}", "has more than 300000 values"},
        {"{", "\n", 10000000, "}", NULL},
        {"{\"a\":\"", "\xff", JSON_TIDY_TEXT_MAX, "\"}", NULL},
        {"{\"a\":", "1", 1000000, "}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct slice json;
        struct err err;
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        fputs(rows[i].begin, out);
        for (size_t n = 0; n < rows[i].n; n++)
            fputs(rows[i].again, out);
        fputs(rows[i].end, out);
        fclose(out);
        if (json_tidy((struct slice){text, len}, arena, &json, &err) == 0) {
            if (rows[i].want)
                fail_msg("row %zu: wanted %s, saw none", i, rows[i].want);
        } else if (!rows[i].want || strcmp(err.msg, rows[i].want) != 0) {
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, err.msg);
        }
        free(text);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repairs),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
