/* SPDX-License-Identifier: MIT */
#include "lib/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

/* Between two readings of the same clock, so that no machine is too slow for this test. */
static void test_system(void **state)
{
    time_t earliest_s = time(NULL);
    uint64_t earlier_ms = clock_system.monotonic_ms(&clock_system);

    (void)state;
    assert_in_range(clock_system.unix_s(&clock_system), earliest_s, time(NULL));
    assert_in_range(clock_system.monotonic_ms(&clock_system), earlier_ms, UINT64_MAX);
}

static void test_monotonic_unit(void **state)
{
    struct timespec before, after;
    uint64_t now_ms;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    now_ms = clock_system.monotonic_ms(&clock_system);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(now_ms / 1000, before.tv_sec, after.tv_sec);
}

static void test_timespec(void **state)
{
    static const struct {
        uint64_t ms;
        time_t s;
        long ns;
    } rows[] = {{0, 0, 0}, {999, 0, 999000000}, {1000, 1, 0}, {4000000001, 4000000, 1000000}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct timespec time = clock_timespec(rows[i].ms);

        assert_int_equal(time.tv_sec, rows[i].s);
        assert_int_equal(time.tv_nsec, rows[i].ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_monotonic_unit),
        cmocka_unit_test(test_timespec),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
