/* SPDX-License-Identifier: MIT */
#include "lib/base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_dates(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *want;
    } rows[] = {
        {0, "1 January 1970, 00:00 UTC"},
        {1797084240, "12 December 2026, 14:04 UTC"},
        {1797084241, "12 December 2026, 14:05 UTC"}, /* never earlier than it is */
        {1709251199, "1 March 2024, 00:00 UTC"},
        {INT64_MAX / 2, "4611686018427387903 s after 1970"},
    };
    char buffer[WHEN_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(when_date(rows[i].unix_s, buffer), rows[i].want);
}

static void test_durations(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *want;
    } rows[] = {
        {0, "0 seconds"},     {1, "1 second"},          {59, "59 seconds"},   {60, "1 minute"},
        {5400, "90 minutes"}, {129600, "36 hours"},     {86400, "1 day"},     {604800, "1 week"},
        {1209600, "2 weeks"}, {31557600, "8766 hours"}, {2592000, "30 days"},
    };
    char buffer[WHEN_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(when_duration(rows[i].seconds, buffer), rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
