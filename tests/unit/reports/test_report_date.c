/* SPDX-License-Identifier: MIT */
#include "reports/report_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_dates(void **state)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: none */
    } rows[] = {
        {"", -1},
        {"2026-01-01T00:00:00Z", 1767225600},
        {"2026-01-01T00:00:00", 1767225600}, /* Microsoft */
        {"2026-01-01t00:00:00z", 1767225600},
        {"2026-01-01 00:00:00", 1767225600},
        {" 2026-01-01T00:00:00Z ", 1767225600},
        {"2026-01-01", 1767225600},
        {"2026-01-01T00:00:00.123456789Z", 1767225600},
        {"2026-01-01T00:00:00.Z", 1767225600},
        {"2026-01-01T23:59:60Z", 1767312000},
        {"2026-01-01T24:00:00Z", 1767312000},
        {"2026-01-01T02:30:00+02:30", 1767225600},
        {"2025-12-31T22:00:00-0200", 1767225600},
        {"1767225600", 1767225600},
        {"1767225600000", 1767225600},
        {"0", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00+00:01", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
        {"9999-12-31T24:00:00Z", -1},
        {"253402300799999", INT64_C(253402300799)},
        {"253402300800000", -1},
        {"99999999999999999999999999", -1},
        {"-1", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-00-01T00:00:00Z", -1},
        {"2026-01-00T00:00:00Z", -1},
        {"2026-01-32T00:00:00Z", -1},
        {"2026-01-01T25:00:00Z", -1},
        {"2026-01-01T00:60:00Z", -1},
        {"2026-01-01T00:00:61Z", -1},
        {"2026-01-01T00:00Z", -1},
        {"2026-01-01T00:00:00 UTC", -1},
        {"2026-01-01T00:00:00Zx", -1},
        {"2026-01-01T00:00:00+1", -1},
        {"2026-1-1", -1},
        {"2026-01-01T", -1},
        {"Thu, 1 Jan 2026 00:00:00 +0000", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t seen = -1;

        report_date_parse(slice_of(rows[i].text), &seen);
        if (seen != rows[i].want)
            fail_msg("row %zu, '%s': wanted %lld, saw %lld", i, rows[i].text,
                     (long long)rows[i].want, (long long)seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
