/* SPDX-License-Identifier: MIT */
#include "reports/report_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

typedef void lines_finder(const json_t *value, struct arena *arena, const char *const **ret_lines,
                          size_t *ret_n);

struct lines_row {
    const char *json, *want; /* lines in brackets */
};

static void check_rows(const struct lines_row *rows, size_t n_rows, lines_finder *find)
{
    for (size_t i = 0; i < n_rows; i++) {
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        struct arena *arena = arena_new(0);
        const char *const *lines;
        size_t n = SIZE_MAX, len = 0;
        char seen[512] = "";

        find(value, arena, &lines, &n);
        for (size_t k = 0; k < n && len < sizeof(seen); k++)
            len += (size_t)snprintf(seen + len, sizeof(seen) - len, "[%s]", lines[k]);
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        arena_free(arena);
        json_decref(value);
    }
}

static void test_policy(void **state)
{
    static const struct lines_row rows[] = {
        {"", ""},
        {"null", ""},
        {"[]", ""},
        {"\"\"", ""}, /* Halon */
        {"\"[\"", "[[]"},
        {"{\"a\":\"b\"}", ""},
        {"[\"version: STSv1\",\"mode:testing\\r\",\" mx: a \",\"\"]",
         "[version: STSv1][mode:testing][mx: a]"},
        {"[\"a\",7,null,[\"b\"],\"c\"]", "[a][c]"},
        {"[\"a; b\\nc\"]", "[a; b][c]"},
        {"\"version: STSv1\\nmode: testing\\r\\n\"", "[version: STSv1][mode: testing]"},
        {"\"version: STSv1; mode: testing;\"", "[version: STSv1][mode: testing]"},
        {"[\"[\\\"3 1 1 AB\\\",\\\"3 1 1 CD\\\"]\"]", "[3 1 1 AB][3 1 1 CD]"}, /* Microsoft */
        {"\"[\\\"3 1 1 AB\\\"]\"", "[3 1 1 AB]"},
        {"[\"[\\\"3 1 1 AB\\\"]\",\"x\"]", "[[\"3 1 1 AB\"]][x]"},
        {"[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]"},
        {"[\"[\\\"a\\\"] b\"]", "[[\"a\"] b]"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), report_lines_of_policy);
}

static void test_mx(void **state)
{
    static const struct lines_row rows[] = {
        {"null", ""},
        {"\"mx.example.com\"", "[mx.example.com]"}, /* RFC 8460 appendix B */
        {"[\"*.example.com\",\"mx: b.example\",\"mx:\"]", "[*.example.com][b.example]"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), report_lines_of_mx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_mx),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
