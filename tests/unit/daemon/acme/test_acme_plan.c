/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

enum {
    HOUR_S = 60 * 60,
    DAY_S = 24 * HOUR_S,
    LIFE_S = 90 * DAY_S,
    BEGIN_S = 1700000000,
};

static const char *const three[] = {"mta-sts.a.example", "mta-sts.b.example", "mta-sts.c.example"};

static struct acme_plan *plan_of(uint32_t orders_per_hour, const char *const *names, size_t n)
{
    const struct acme_plan_options options = {.orders_per_hour = orders_per_hour, .seed = 1};
    struct acme_plan *plan = acme_plan_new(&options);

    acme_plan_set_hosts(plan, names, n, BEGIN_S);
    return plan;
}

static void see_none(struct acme_plan *plan)
{
    for (size_t i = 0; i < acme_plan_count(plan); i++)
        acme_plan_see(plan, i, 0, 0, false);
}

/* The one host that is picked; SIZE_MAX: none. */
static size_t pick_one(struct acme_plan *plan, int64_t now_unix_s, int64_t *ret_wait_s)
{
    size_t host = SIZE_MAX;

    acme_plan_pick(plan, now_unix_s, 1, &host, ret_wait_s);
    return host;
}

static void test_nobody_is_ordered_before_a_look(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t wait_s;

    (void)state;
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), SIZE_MAX);
    assert_int_equal(wait_s, DAY_S);
    acme_plan_see(plan, 1, 0, 0, false);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), 1);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), SIZE_MAX); /* it is under way */
    acme_plan_free(plan);
}

static void test_states(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t wait_s, now = BEGIN_S;

    (void)state;
    see_none(plan);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_MISSING);
    pick_one(plan, now, &wait_s);
    acme_plan_fail(plan, 0, ACME_NOT_READY, "no address", now);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_WAITING);
    assert_string_equal(acme_plan_host(plan, 0)->reason, "no address");
    acme_plan_fail(plan, 0, ACME_REFUSED, "no", now);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_FAILING);
    acme_plan_fail(plan, 0, ACME_STOPPED, "no", now);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_PAUSED);
    assert_true(acme_plan_succeed(plan, 0, now, now + LIFE_S, now));
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_VALID);
    assert_null(acme_plan_host(plan, 0)->reason);
    assert_int_equal(acme_plan_state(plan, 0, now + LIFE_S - LIFE_S / 6 - 1), ACME_VALID);
    assert_int_equal(acme_plan_state(plan, 0, now + LIFE_S - LIFE_S / 6), ACME_EXPIRING);
    assert_int_equal(acme_plan_state(plan, 0, now + LIFE_S), ACME_MISSING);
    /* A failed renewal does not hide that there is a certificate; a pause does. */
    acme_plan_fail(plan, 0, ACME_REFUSED, "no", now);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_VALID);
    acme_plan_fail(plan, 0, ACME_STOPPED, "no", now);
    assert_int_equal(acme_plan_state(plan, 0, now), ACME_PAUSED);
    acme_plan_see(plan, 1, now, now + LIFE_S, true);
    assert_int_equal(acme_plan_state(plan, 1, now + 2 * LIFE_S), ACME_FOREIGN);
    assert_string_equal(acme_state_word(ACME_FOREIGN), "foreign");
    acme_plan_free(plan);
}

static void test_foreign_certificates_are_left_alone(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 1);
    int64_t wait_s;

    (void)state;
    acme_plan_see(plan, 0, BEGIN_S, BEGIN_S + DAY_S, true);
    assert_int_equal(pick_one(plan, BEGIN_S + 2 * DAY_S, &wait_s), SIZE_MAX);
    acme_plan_free(plan);
}

static void test_backoff(void **state)
{
    static const struct {
        enum acme_obstacle obstacle;
        int64_t first_s;
    } rows[] = {{ACME_NOT_READY, 60},
                {ACME_DISTURBED, 60},
                {ACME_UNLUCKY, 5},
                {ACME_REFUSED, 4 * 60},
                {ACME_STOPPED, DAY_S}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct acme_plan *plan = plan_of(90, three, 1);
        int64_t wanted_s = rows[i].first_s, wait_s, now = BEGIN_S;

        see_none(plan);
        for (int n = 0; n < 20; n++) {
            assert_int_equal(pick_one(plan, now, &wait_s), 0);
            acme_plan_fail(plan, 0, rows[i].obstacle, "no", now);
            assert_int_equal(pick_one(plan, now, &wait_s), SIZE_MAX);
            wait_s = acme_plan_host(plan, 0)->begin_unix_s - now;
            if (wait_s < wanted_s * 3 / 4 || wait_s > wanted_s * 5 / 4)
                fail_msg("row %zu, failure %d: %lld s, not about %lld", i, n, (long long)wait_s,
                         (long long)wanted_s);
            now += wait_s;
            wanted_s = wanted_s * 2 < DAY_S ? wanted_s * 2 : DAY_S;
        }
        acme_plan_free(plan);
    }
}

static void test_hosts_change(void **state)
{
    static const char *const next[] = {"mta-sts.a.example", "mta-sts.aa.example",
                                       "mta-sts.c.example"};
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t wait_s;

    (void)state;
    see_none(plan);
    acme_plan_fail(plan, 0, ACME_NOT_READY, "no address", BEGIN_S);
    acme_plan_fail(plan, 2, ACME_REFUSED, "no", BEGIN_S);
    acme_plan_set_hosts(plan, next, 3, BEGIN_S);
    assert_int_equal(acme_plan_count(plan), 3);
    assert_int_equal(acme_plan_find(plan, "mta-sts.b.example"), 3);
    assert_int_equal(acme_plan_find(plan, "mta-sts.c.example"), 2);
    assert_true(acme_plan_host(plan, 0)->begin_unix_s > BEGIN_S);
    /* Somebody has changed something for it; the CA's refusal is its own. */
    acme_plan_touch(plan, 0, BEGIN_S);
    acme_plan_touch(plan, 2, BEGIN_S);
    assert_int_equal(acme_plan_host(plan, 0)->begin_unix_s, 0);
    assert_int_equal(acme_plan_state(plan, 0, BEGIN_S), ACME_WAITING);
    assert_true(acme_plan_host(plan, 2)->begin_unix_s > BEGIN_S);
    assert_false(acme_plan_host(plan, 1)->is_seen);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), 0);
    acme_plan_set_hosts(plan, NULL, 0, BEGIN_S);
    assert_int_equal(acme_plan_find(plan, "mta-sts.a.example"), 0);
    acme_plan_free(plan);
}

/* The thread that looks at certificates may tell of the time before. */
static void test_old_looks_change_nothing(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 1);
    int64_t wait_s;

    (void)state;
    acme_plan_see(plan, 0, BEGIN_S, BEGIN_S + DAY_S, false);
    pick_one(plan, BEGIN_S + DAY_S, &wait_s);
    acme_plan_see(plan, 0, 0, 0, false);
    assert_int_equal(acme_plan_host(plan, 0)->not_after_unix_s, BEGIN_S + DAY_S);
    acme_plan_succeed(plan, 0, BEGIN_S, BEGIN_S + LIFE_S, BEGIN_S);
    acme_plan_see(plan, 0, 0, 0, false);
    acme_plan_see(plan, 0, BEGIN_S, BEGIN_S + DAY_S, false);
    assert_int_equal(acme_plan_host(plan, 0)->not_after_unix_s, BEGIN_S + LIFE_S);
    acme_plan_see(plan, 0, BEGIN_S, BEGIN_S + LIFE_S, false);
    acme_plan_see(plan, 0, 0, 0, false); /* removed since */
    assert_int_equal(acme_plan_state(plan, 0, BEGIN_S), ACME_MISSING);
    acme_plan_free(plan);
}

/* By how much the clock is ahead when a certificate comes, and what the plan makes of that. */
static const struct {
    int64_t ahead_s;
    bool is_timely;
    enum acme_state state;
} clocks[] = {
    {0, true, ACME_VALID},
    {HOUR_S, true, ACME_VALID},
    {-HOUR_S, true, ACME_VALID},
    {-HOUR_S - 1, false, ACME_VALID},
    {-60 * DAY_S, false, ACME_VALID},
    {LIFE_S / 2, true, ACME_VALID},
    {LIFE_S * 2 / 3, false, ACME_VALID}, /* to be renewed at once */
    {LIFE_S * 5 / 6, false, ACME_EXPIRING},
    {LIFE_S, false, ACME_FAILING},
    {10 * LIFE_S, false, ACME_FAILING},
};

/* A host is not ordered again and again because the clock is wrong, and recovers once it is right.
 */
static void test_wrong_clock(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        struct acme_plan *plan = plan_of(90, three, 1);
        int64_t wait_s, now = BEGIN_S + clocks[i].ahead_s;

        see_none(plan);
        pick_one(plan, now, &wait_s);
        if (acme_plan_succeed(plan, 0, BEGIN_S, BEGIN_S + LIFE_S, now) != clocks[i].is_timely)
            fail_msg("row %zu", i);
        if (!clocks[i].is_timely)
            acme_plan_fail(plan, 0, ACME_UNTIMELY, "the clock is wrong", now);
        assert_int_equal(acme_plan_state(plan, 0, now), clocks[i].state);
        assert_int_equal(pick_one(plan, now + DAY_S / 2, &wait_s), SIZE_MAX);
        if (clocks[i].ahead_s >= LIFE_S * 2 / 3)
            assert_int_equal(pick_one(plan, now + 2 * DAY_S, &wait_s), 0);
        acme_plan_put_back(plan, 0);
        assert_int_equal(pick_one(plan, BEGIN_S + 60, &wait_s), SIZE_MAX);
        assert_null(acme_plan_host(plan, 0)->reason);
        assert_int_equal(acme_plan_state(plan, 0, BEGIN_S + 60), ACME_VALID);
        assert_int_equal(pick_one(plan, BEGIN_S + LIFE_S * 2 / 3, &wait_s), 0);
        acme_plan_free(plan);
    }
}

/* A certificate that lives for some hours is not left alone for a day. */
static void test_wrong_clock_short_life(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 1);
    int64_t wait_s, now = BEGIN_S + 2 * HOUR_S;

    (void)state;
    see_none(plan);
    pick_one(plan, now, &wait_s);
    assert_false(acme_plan_succeed(plan, 0, BEGIN_S, BEGIN_S + 3 * HOUR_S, now));
    acme_plan_fail(plan, 0, ACME_UNTIMELY, "the clock is wrong", now);
    assert_int_equal(pick_one(plan, now + HOUR_S / 2, &wait_s), SIZE_MAX);
    assert_int_equal(pick_one(plan, now + 2 * HOUR_S, &wait_s), 0);
    acme_plan_free(plan);
}

/* What a person asks for by a reload, an hour after an order that has failed and never before the
 * time that the authority has named. */
static void test_touch_after_a_failure(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t now = BEGIN_S, wait_s;

    (void)state;
    see_none(plan);
    acme_plan_restore_host(plan, 0, ACME_REFUSED, 9, now + DAY_S, "no");
    acme_plan_restore_host(plan, 1, ACME_REFUSED, 9, now + DAY_S, "no");
    acme_plan_restore_host(plan, 2, ACME_STOPPED, 9, now + DAY_S, "open a link");
    for (size_t i = 0; i < 3; i++)
        acme_plan_touch(plan, i, now);
    assert_int_equal(pick_one(plan, now, &wait_s), 0);
    acme_plan_fail(plan, 0, ACME_REFUSED, "no", now);
    assert_int_equal(pick_one(plan, now, &wait_s), 1);
    acme_plan_fail(plan, 1, ACME_REFUSED, "too often", now);
    acme_plan_postpone(plan, 1, now + 3 * HOUR_S, now);
    for (size_t i = 0; i < 3; i++)
        acme_plan_touch(plan, i, now + HOUR_S - 1);
    assert_int_equal(pick_one(plan, now + HOUR_S - 1, &wait_s), SIZE_MAX);
    for (size_t i = 0; i < 3; i++)
        acme_plan_touch(plan, i, now + HOUR_S);
    assert_int_equal(pick_one(plan, now + HOUR_S, &wait_s), 0);
    assert_int_equal(pick_one(plan, now + HOUR_S, &wait_s), SIZE_MAX);
    acme_plan_free(plan);
}

static void test_order_of_hosts(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct acme_plan *plan = plan_of(90, names, ARRAY_LEN(names));
    int64_t now = BEGIN_S, wait_s;
    size_t hosts[ARRAY_LEN(names)];

    (void)state;
    acme_plan_see(plan, 0, now - LIFE_S + 29 * DAY_S, now + 29 * DAY_S - 3 * DAY_S, false);
    acme_plan_see(plan, 1, 0, 0, false);
    acme_plan_see(plan, 2, now - LIFE_S + DAY_S, now + DAY_S, false);
    acme_plan_see(plan, 3, 0, 0, false);
    acme_plan_see(plan, 4, now - LIFE_S + 2 * DAY_S, now + 2 * DAY_S, false);
    acme_plan_restore_host(plan, 1, ACME_REFUSED, 1, now, "no");
    assert_int_equal(acme_plan_pick(plan, now, 5, hosts, &wait_s), 5);
    assert_int_equal(hosts[0], 2); /* soon lost */
    assert_int_equal(hosts[1], 4);
    assert_int_equal(hosts[2], 3); /* never had one */
    assert_int_equal(hosts[3], 1); /* the same, and has failed */
    assert_int_equal(hosts[4], 0); /* has time */
    acme_plan_free(plan);
}

static void test_rate(void **state)
{
    struct acme_plan *plan = plan_of(2, three, 3);
    size_t hosts[3];
    int64_t wait_s, *times;

    (void)state;
    see_none(plan);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S, 3, hosts, &wait_s), 2);
    acme_plan_order(plan, BEGIN_S);
    acme_plan_order(plan, BEGIN_S + 10);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S + 10, 3, hosts, &wait_s), 0);
    assert_int_equal(wait_s, HOUR_S - 10);
    assert_int_equal(acme_plan_list_orders(plan, BEGIN_S + 10, &times), 2);
    assert_int_equal(times[1], BEGIN_S + 10);
    free(times);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S + HOUR_S - 1, 3, hosts, &wait_s), 0);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S + HOUR_S, 3, hosts, &wait_s), 1);
    /* A lower rate holds at once, with the orders that were made. */
    acme_plan_set_options(plan, &(struct acme_plan_options){.orders_per_hour = 1});
    acme_plan_put_back(plan, hosts[0]);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S + HOUR_S, 3, hosts, &wait_s), 0);
    assert_int_equal(wait_s, 10);
    /* The clock is set back: nobody waits for years. */
    assert_int_equal(acme_plan_pick(plan, BEGIN_S - 1000 * DAY_S, 3, hosts, &wait_s), 0);
    assert_true(wait_s <= HOUR_S);
    assert_int_equal(acme_plan_pick(plan, BEGIN_S - 1000 * DAY_S + HOUR_S, 3, hosts, &wait_s), 1);
    acme_plan_free(plan);
}

static void test_hold(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t now = BEGIN_S, wait_s, held_s = 0;
    size_t host;

    (void)state;
    see_none(plan);
    for (int i = 0; i < 12; i++) {
        host = pick_one(plan, now, &wait_s);
        assert_int_not_equal(host, SIZE_MAX);
        held_s = acme_plan_hold(plan, now);
        assert_int_equal(acme_plan_hold(plan, now + 1), held_s - 1); /* another order's answer */
        acme_plan_put_back(plan, host);
        assert_int_equal(pick_one(plan, now + held_s - 1, &wait_s), SIZE_MAX);
        now += held_s;
    }
    assert_true(held_s >= HOUR_S * 3 / 4 && held_s <= HOUR_S * 5 / 4);
    assert_int_equal(pick_one(plan, now, &wait_s), 0);
    assert_true(acme_plan_succeed(plan, 0, now, now + LIFE_S, now));
    assert_true(acme_plan_hold(plan, now) <= 75); /* the next one begins anew */
    acme_plan_free(plan);
}

/* Whoever meets a hold waits for its end, how often ever, and not for longer. */
static void test_held_host(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t now = BEGIN_S, wait_s, held_s;

    (void)state;
    see_none(plan);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(pick_one(plan, now, &wait_s), 0);
        held_s = acme_plan_hold(plan, now);
        acme_plan_fail(plan, 0, ACME_HELD, "unreachable", now);
        assert_int_equal(acme_plan_state(plan, 0, now), ACME_FAILING);
        assert_int_equal(acme_plan_host(plan, 0)->begin_unix_s, now + held_s);
        now += held_s;
    }
    assert_int_equal(acme_plan_host(plan, 0)->n_failures, 0);
    acme_plan_free(plan);
}

/* Times that the authority names: neither before, nor for ever. */
static void test_named_times(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 1);
    int64_t wait_s;

    (void)state;
    see_none(plan);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), 0);
    acme_plan_fail(plan, 0, ACME_REFUSED, "no", BEGIN_S);
    acme_plan_postpone(plan, 0, BEGIN_S + 11 * HOUR_S, BEGIN_S);
    assert_int_equal(acme_plan_host(plan, 0)->begin_unix_s, BEGIN_S + 11 * HOUR_S);
    acme_plan_postpone(plan, 0, INT64_MAX, BEGIN_S);
    assert_int_equal(acme_plan_host(plan, 0)->begin_unix_s, BEGIN_S + DAY_S);
    assert_int_equal(acme_plan_hold_until(plan, BEGIN_S + 90, BEGIN_S), 90);
    assert_int_equal(acme_plan_hold_until(plan, BEGIN_S + 30, BEGIN_S), 90);
    assert_int_equal(acme_plan_hold_until(plan, INT64_MAX, BEGIN_S), 2 * HOUR_S);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), SIZE_MAX);
    assert_int_equal(wait_s, 2 * HOUR_S);
    acme_plan_free(plan);
}

/* A hold of this machine's own is never longer, and makes those of the authority no longer. */
static void test_wait(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 3);
    int64_t now = BEGIN_S, wait_s, held_s;

    (void)state;
    see_none(plan);
    for (int i = 0; i < 12; i++) {
        held_s = acme_plan_wait(plan, now);
        assert_in_range(held_s, ACME_HOLD_S * 3 / 4, ACME_HOLD_S * 5 / 4);
        assert_int_equal(acme_plan_wait(plan, now + 1), held_s - 1);
        assert_int_equal(pick_one(plan, now + held_s - 1, &wait_s), SIZE_MAX);
        now += held_s;
    }
    assert_in_range(acme_plan_hold(plan, now), ACME_HOLD_S * 3 / 4, ACME_HOLD_S * 5 / 4);
    acme_plan_free(plan);
}

/* A clock that was years ahead is set right. */
static void test_clock_is_set_back(void **state)
{
    struct acme_plan *plan = plan_of(90, three, 2);
    int64_t wait_s;

    (void)state;
    see_none(plan);
    assert_int_equal(pick_one(plan, BEGIN_S + 1000 * DAY_S, &wait_s), 0);
    acme_plan_fail(plan, 0, ACME_REFUSED, "no", BEGIN_S + 1000 * DAY_S);
    acme_plan_hold(plan, BEGIN_S + 1000 * DAY_S);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), 1);
    assert_int_equal(pick_one(plan, BEGIN_S, &wait_s), 0);
    acme_plan_free(plan);
}

static void test_renewal_times(void **state)
{
    static const struct {
        int64_t life_s;
        uint32_t before_s;
        int64_t wanted_s; /* before the end */
    } rows[] = {
        {90 * DAY_S, 0, 30 * DAY_S},
        {90 * DAY_S, 10 * DAY_S, 10 * DAY_S},
        {90 * DAY_S, 60 * DAY_S, 60 * DAY_S},
        {90 * DAY_S, 61 * DAY_S, 30 * DAY_S}, /* more than the certificate has */
        {6 * DAY_S, 10 * DAY_S, 2 * DAY_S},
        {0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct acme_plan_options options = {.orders_per_hour = 90,
                                                  .renew_before_s = rows[i].before_s};
        struct acme_plan *plan = acme_plan_new(&options);
        int64_t before_s;

        acme_plan_set_hosts(plan, three, 1, BEGIN_S);
        acme_plan_see(plan, 0, BEGIN_S, BEGIN_S + rows[i].life_s, false);
        before_s = BEGIN_S + rows[i].life_s - acme_plan_host(plan, 0)->begin_unix_s;
        if (before_s < rows[i].wanted_s || before_s > rows[i].wanted_s * 11 / 10)
            fail_msg("row %zu: %lld s, not %lld", i, (long long)before_s,
                     (long long)rows[i].wanted_s);
        acme_plan_free(plan);
    }
}

/* Two years of a provider. */
enum {
    N_HOSTS = 50000,
    RATE = 90,
    YEARS_S = 2 * 365 * DAY_S,
    PROVIDER_LIFE_S = 45 * DAY_S,
    DOWN_FROM_S = 400 * DAY_S,
    DOWN_UNTIL_S = 403 * DAY_S,
    STEP_S = HOUR_S,
    FAILING_EACH = 250, /* one host in so many never gets a certificate */
};

struct provider {
    struct acme_plan *plan;
    int64_t now, recent[RATE]; /* the times of the last orders, a ring */
    size_t n_orders, n_down_orders;
};

static void provider_order(struct provider *provider, size_t host)
{
    struct acme_plan *plan = provider->plan;
    int64_t now = provider->now, *oldest = &provider->recent[provider->n_orders % RATE];
    int64_t not_after = acme_plan_host(plan, host)->not_after_unix_s;

    acme_plan_order(plan, now);
    if (provider->n_orders++ >= RATE && *oldest > now - HOUR_S)
        fail_msg("a burst at %lld", (long long)now);
    *oldest = now;
    if (not_after != 0 && not_after <= now)
        fail_msg("'%s' has expired", acme_plan_host(plan, host)->name);
    if (now - BEGIN_S >= DOWN_FROM_S && now - BEGIN_S < DOWN_UNTIL_S) {
        provider->n_down_orders++;
        acme_plan_hold(plan, now);
        acme_plan_fail(plan, host, ACME_REFUSED, "unreachable", now);
    } else if (host % FAILING_EACH == 7) {
        acme_plan_fail(plan, host, ACME_REFUSED, "unauthorized", now);
    } else {
        acme_plan_succeed(plan, host, now, now + PROVIDER_LIFE_S, now);
    }
}

static char (*make_names(const char **names))[32]
{
    char(*texts)[32] = malloc(N_HOSTS * sizeof(*texts));

    assert_non_null(texts);
    for (size_t i = 0; i < N_HOSTS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "mta-sts.d%06zu.example", i);
        names[i] = texts[i];
    }
    return texts;
}

static void test_two_years_of_a_provider(void **state)
{
    static const char *names[N_HOSTS];
    char(*texts)[32] = make_names(names);
    struct provider provider = {.plan = plan_of(RATE, names, N_HOSTS), .now = BEGIN_S};
    size_t hosts[RATE], n, n_states[ACME_STATE_COUNT] = {0};
    int64_t wait_s;

    (void)state;
    see_none(provider.plan);
    while (provider.now < BEGIN_S + YEARS_S) {
        n = acme_plan_pick(provider.plan, provider.now, RATE, hosts, &wait_s);
        for (size_t i = 0; i < n; i++)
            provider_order(&provider, hosts[i]);
        provider.now += wait_s > STEP_S ? wait_s : STEP_S;
    }
    for (size_t i = 0; i < N_HOSTS; i++)
        n_states[acme_plan_state(provider.plan, i, provider.now)]++;
    assert_int_equal(n_states[ACME_FAILING], N_HOSTS / FAILING_EACH);
    assert_int_equal(n_states[ACME_VALID] + n_states[ACME_EXPIRING],
                     N_HOSTS - N_HOSTS / FAILING_EACH);
    assert_int_equal(n_states[ACME_EXPIRING], 0);
    /* A silent authority is asked now and then, by one host after the other. */
    assert_in_range(provider.n_down_orders, 3, 72 * RATE);
    acme_plan_free(provider.plan);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_ordered_before_a_look),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_foreign_certificates_are_left_alone),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_hosts_change),
        cmocka_unit_test(test_old_looks_change_nothing),
        cmocka_unit_test(test_wrong_clock),
        cmocka_unit_test(test_wrong_clock_short_life),
        cmocka_unit_test(test_touch_after_a_failure),
        cmocka_unit_test(test_order_of_hosts),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_held_host),
        cmocka_unit_test(test_named_times),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_clock_is_set_back),
        cmocka_unit_test(test_renewal_times),
        cmocka_unit_test(test_two_years_of_a_provider),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
