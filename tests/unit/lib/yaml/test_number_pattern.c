/* SPDX-License-Identifier: MIT */
#include "lib/yaml/number_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <regex.h>

#include "lib/base/slice.h"

/* The pattern of the numbers up to `max`, anchored. */
static regex_t compile(uint64_t max)
{
    char *pattern = NULL;
    size_t len;
    FILE *out = open_memstream(&pattern, &len);
    regex_t compiled;

    fputs("^(", out);
    number_pattern_print(max, out);
    fputs(")$", out);
    fclose(out);
    assert_null(strpbrk(pattern, "\\\""));
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    free(pattern);
    return compiled;
}

static void expect(const regex_t *pattern, uint64_t max, const char *text, int is_taken)
{
    if ((regexec(pattern, text, 0, NULL, 0) == 0) != (is_taken != 0))
        fail_msg("up to %llu, %s is %s", (unsigned long long)max, text,
                 is_taken ? "not taken" : "taken");
}

static void expect_number(const regex_t *pattern, uint64_t max, uint64_t number)
{
    char text[64];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    expect(pattern, max, text, number <= max);
    snprintf(text, sizeof(text), "00%llu", (unsigned long long)number);
    expect(pattern, max, text, number <= max);
}

static void test_every_number(void **state)
{
    static const uint64_t maxima[] = {0, 1, 9, 10, 11, 52, 99, 100, 101, 109, 256, 365, 990, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        regex_t pattern = compile(maxima[i]);

        for (uint64_t number = 0; number <= 2000; number++)
            expect_number(&pattern, maxima[i], number);
        expect(&pattern, maxima[i], "", 0);
        expect(&pattern, maxima[i], "-0", 0);
        expect(&pattern, maxima[i], "0x0", 0);
        regfree(&pattern);
    }
}

static void test_large_bounds(void **state)
{
    static const uint64_t maxima[] = {31557600, UINT32_MAX, UINT64_MAX / 10, UINT64_MAX - 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(maxima); i++) {
        regex_t pattern = compile(maxima[i]);

        for (uint64_t step = 1; step <= maxima[i] / 10; step *= 10) {
            expect_number(&pattern, maxima[i], maxima[i] - step);
            expect_number(&pattern, maxima[i], maxima[i] / step);
            if (maxima[i] <= UINT64_MAX - step)
                expect_number(&pattern, maxima[i], maxima[i] + step);
        }
        expect_number(&pattern, maxima[i], maxima[i]);
        regfree(&pattern);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number),
        cmocka_unit_test(test_large_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
