/* SPDX-License-Identifier: MIT */
#include "daemon/http/report_limiter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    NOW_MS = 1000000,
};

/* How many of `n` reports that come at once are taken. */
static unsigned admit(struct report_limiter *limiter, const uint64_t *network, uint64_t now_ms,
                      unsigned n)
{
    unsigned n_admitted = 0;

    while (n-- > 0)
        n_admitted += report_limiter_admit(limiter, network, now_ms);
    return n_admitted;
}

static void test_source(void **state)
{
    struct report_limiter *limiter =
        report_limiter_new((struct report_rate){10, 5}, (struct report_rate){1000, 1000});
    const uint64_t a = 1, b = UINT64_MAX;

    (void)state;
    assert_int_equal(admit(limiter, &a, NOW_MS, 20), 5);
    assert_int_equal(admit(limiter, &b, NOW_MS, 20), 5);
    assert_int_equal(admit(limiter, &a, NOW_MS + 99, 20), 0);
    assert_int_equal(admit(limiter, &a, NOW_MS + 100, 20), 1);
    assert_int_equal(admit(limiter, &a, NOW_MS + 300, 20), 2);
    assert_int_equal(admit(limiter, &a, NOW_MS + 3600 * 1000, 20), 5);
    /* A proxy's. */
    assert_int_equal(admit(limiter, NULL, NOW_MS + 3600 * 1000, 20), 20);
    report_limiter_free(limiter);
}

/* What the source was refused counts for nobody. */
static void test_all(void **state)
{
    struct report_limiter *limiter =
        report_limiter_new((struct report_rate){1, 4}, (struct report_rate){10, 10});
    const uint64_t a = 1, b = 2, c = 3;

    (void)state;
    assert_int_equal(admit(limiter, &a, NOW_MS, 1000), 4);
    assert_int_equal(admit(limiter, &b, NOW_MS, 4), 4);
    assert_int_equal(admit(limiter, &c, NOW_MS, 4), 2);
    assert_int_equal(admit(limiter, NULL, NOW_MS, 4), 0);
    /* What all were refused counts for no source. */
    assert_int_equal(admit(limiter, &c, NOW_MS + 200, 4), 2);
    report_limiter_free(limiter);
}

/* More sources than there are places: each new one is taken as far as the rate of all allows. */
static void test_many_sources(void **state)
{
    struct report_limiter *limiter =
        report_limiter_new((struct report_rate){1, 1}, (struct report_rate){1000, 50000});
    unsigned n_admitted = 0;

    (void)state;
    for (uint64_t network = 0; network < 60000; network++)
        n_admitted += report_limiter_admit(limiter, &network, NOW_MS);
    assert_int_equal(n_admitted, 50000);
    report_limiter_free(limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_source), cmocka_unit_test(test_all),
                                       cmocka_unit_test(test_many_sources)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
