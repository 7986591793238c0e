/* SPDX-License-Identifier: MIT */
#include "check/connection_pace.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t taken(struct connection_pace *pace, uint32_t address, uint64_t now_ms)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};

    return connection_pace_take(pace, (struct sockaddr *)&ipv4, now_ms);
}

static void the_first_few_go_at_once(void **state)
{
    static const uint64_t waits_ms[] = {0, 0, 0, 0, 1000, 2000, 3000};
    struct connection_pace *pace = connection_pace_new(60);

    (void)state;
    for (size_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++)
        assert_int_equal(taken(pace, 1, 500000), waits_ms[i]);
    assert_int_equal(taken(pace, 2, 500000), 0); /* another address */
    /* Three places are taken ahead: they pass first, then credit is earned, up to the first few. */
    assert_int_equal(taken(pace, 1, 503000), 1000);
    assert_int_equal(taken(pace, 1, 505500), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(taken(pace, 1, 900000), 0);
    assert_int_equal(taken(pace, 1, 900000), 1000);
    connection_pace_free(pace);
}

static void a_clock_may_begin_at_zero(void **state)
{
    struct connection_pace *pace = connection_pace_new(60);

    (void)state;
    assert_int_equal(taken(pace, 1, 0), 0);
    assert_int_equal(taken(pace, 1, 0), 1000);
    assert_int_equal(taken(pace, 1, 0), 2000);
    connection_pace_free(pace);
}

static void without_a_limit_nobody_waits(void **state)
{
    struct connection_pace *pace = connection_pace_new(0);

    (void)state;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(taken(pace, 1, 0), 0);
    connection_pace_free(pace);
    connection_pace_free(NULL);
}

static void families_are_apart(void **state)
{
    struct connection_pace *pace = connection_pace_new(1);
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = {{{0x20, 0x01}}}};

    (void)state;
    assert_int_equal(taken(pace, 0x20010000, 0), 0);
    ipv6.sin6_addr.s6_addr[15] = 1;
    assert_int_equal(connection_pace_take(pace, (struct sockaddr *)&ipv6, 0), 0);
    assert_int_equal(connection_pace_take(pace, (struct sockaddr *)&ipv6, 0), 60000);
    connection_pace_free(pace);
}

/* Many others do not make an address forgotten that is waited for, nor wait long themselves. */
static void many_addresses_do_not_disturb_one_another(void **state)
{
    struct connection_pace *pace = connection_pace_new(60);
    unsigned n_waiting = 0;

    (void)state;
    for (size_t i = 0; i < 6; i++)
        taken(pace, 1, 500000);
    for (uint32_t i = 2; i < 3000; i++)
        n_waiting += taken(pace, i, 500000) > 0;
    assert_true(n_waiting < 30);
    assert_true(taken(pace, 1, 500000) >= 3000);
    connection_pace_free(pace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_few_go_at_once),
        cmocka_unit_test(a_clock_may_begin_at_zero),
        cmocka_unit_test(without_a_limit_nobody_waits),
        cmocka_unit_test(families_are_apart),
        cmocka_unit_test(many_addresses_do_not_disturb_one_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
