/* SPDX-License-Identifier: MIT */
#include "lib/base/lookalike.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_find(void **state)
{
    static const struct {
        struct slice text;
        const char *want; /* NULL: none */
        size_t at;
    } rows[] = {
        {{NULL, 0}, NULL, 77},
        {SLICE_BYTES("plain 'text' - \"x\""), NULL, 77},
        {SLICE_BYTES("b\xc3\xbc"
                     "cher"),
         NULL, 77},
        {SLICE_BYTES("\xc2"), NULL, 77}, /* cut within a character */
        {SLICE_BYTES("\xc2\xa0"), "a no-break space", 0},
        {SLICE_BYTES("a\0\xe2\x80\x9c"), "a typographic quote", 2},
        {SLICE_BYTES("\xc3\xbc\xe2\x80\x93\xc2\xa0"), "a typographic dash", 2},
        {SLICE_BYTES("\xef\xbb\xbfv=STSv1"), "a byte order mark", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at = 77;
        const char *seen = lookalike_find(rows[i].text, &at);

        if ((seen == NULL) != (rows[i].want == NULL) || (seen && strcmp(seen, rows[i].want) != 0) ||
            at != rows[i].at)
            fail_msg("row %zu: saw %s at %zu", i, seen ? seen : "none", at);
    }
    assert_string_equal(lookalike_find(rows[4].text, NULL), "a no-break space");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
