/* SPDX-License-Identifier: MIT */
#include "daemon/main/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* The loop turns until it hangs; how does it look after so many looks, so far apart? */
static void test_states(void **state)
{
    static const struct {
        const char *name;
        unsigned n_looks;
        uint64_t apart_ms;
        enum loop_state state;
    } rows[] = {
        {"just hung", 1, 1000, LOOP_TURNS},
        {"9 s", 9, 1000, LOOP_TURNS},
        {"10 s", 10, 1000, LOOP_STALLS},
        {"11 s", 11, 1000, LOOP_STALLED},
        {"29 s", 29, 1000, LOOP_STALLED},
        {"30 s", 30, 1000, LOOP_IS_LOST},
        {"a stop of an hour", 1, 3600 * 1000, LOOP_TURNS},
        {"four of them", 4, 3600 * 1000, LOOP_TURNS},
        {"stopped again and again", 14, 3600 * 1000, LOOP_STALLED},
        {"a control plane at half speed", 5, 2000, LOOP_STALLS},
        {"no time passes", 1000, 0, LOOP_TURNS},
        {"the largest number", 1, UINT64_MAX, LOOP_TURNS},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct watched_loop loop = {0};
        enum loop_state seen = watchdog_look(&loop, 7, 0);

        assert_int_equal(seen, LOOP_TURNS);
        for (unsigned n = 0; n < rows[i].n_looks; n++)
            seen = watchdog_look(&loop, 7, rows[i].apart_ms);
        if (seen != rows[i].state) {
            print_error("row %zu (%s): state %d, wanted %d\n", i, rows[i].name, (int)seen,
                        (int)rows[i].state);
            n_failed++;
        }
    }
    assert_int_equal(n_failed, 0);
}

static void test_recovers(void **state)
{
    struct watched_loop loop = {0};

    (void)state;
    watchdog_look(&loop, 1, 0);
    for (int i = 0; i < 12; i++)
        watchdog_look(&loop, 1, 1000);
    assert_int_equal(watchdog_look(&loop, 2, 1000), LOOP_RECOVERS);
    assert_int_equal(watchdog_look(&loop, 3, 1000), LOOP_TURNS);
    for (int i = 0; i < 9; i++)
        assert_int_equal(watchdog_look(&loop, 3, 1000), LOOP_TURNS);
    assert_int_equal(watchdog_look(&loop, 3, 1000), LOOP_STALLS);
}

/* A loop that idles turns once a second, now and then a little late. */
static void test_idle(void **state)
{
    struct watched_loop loop = {0};

    (void)state;
    for (uint64_t look = 0; look < 10000; look++)
        assert_int_equal(watchdog_look(&loop, 1 + look - look / 7, 1000), LOOP_TURNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
