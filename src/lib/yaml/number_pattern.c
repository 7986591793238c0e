/* SPDX-License-Identifier: MIT */
/*
 * Of 365, the numbers are those of at most two digits, those below 3xx, those of 3 below 36x, and
 * those of 36 up to 365: 0*([0-9]{1,2}|[0-2][0-9]{2}|3[0-5][0-9]|36[0-5]).
 */
#include "lib/yaml/number_pattern.h"

#include <inttypes.h>

static void print_repeated(int count, FILE *out)
{
    if (count > 0)
        fputs("[0-9]", out);
    if (count > 1)
        fprintf(out, "{%d}", count);
}

static void print_digits_up_to(char digit, FILE *out)
{
    if (digit == '0')
        fputc('0', out);
    else
        fprintf(out, "[0-%c]", digit);
}

void number_pattern_print(uint64_t max, FILE *out)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof(digits), "%" PRIu64, max);

    fputs("0*(", out);
    if (n_digits > 1)
        fprintf(out, "[0-9]{1,%d}|", n_digits - 1);
    for (int i = 0; i < n_digits - 1; i++) {
        if (digits[i] == '0')
            continue;
        fprintf(out, "%.*s", i, digits);
        print_digits_up_to((char)(digits[i] - 1), out);
        print_repeated(n_digits - 1 - i, out);
        fputc('|', out);
    }
    fprintf(out, "%.*s", n_digits - 1, digits);
    print_digits_up_to(digits[n_digits - 1], out);
    fputc(')', out);
}
