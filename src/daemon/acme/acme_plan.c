/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

enum {
    HOUR_S = 60 * 60,
    DAY_S = 24 * HOUR_S,
    SPREAD = 10,          /* renewals begin up to a tenth of their time earlier */
    EARLY_MAX_S = HOUR_S, /* clocks differ */
};

/* A host that may be tried now. */
struct candidate {
    size_t host;
    int urgency;       /* lower goes first */
    int64_t at_unix_s; /* among the same urgency, earlier goes first */
};

enum {
    URGENT_RENEWAL,
    FIRST_ORDER,
    RENEWAL,
};

struct acme_plan {
    struct acme_plan_options options;
    uint64_t random;
    struct acme_host *hosts;
    size_t n_hosts;
    int64_t *orders; /* a ring of the times of the last orders_per_hour orders */
    size_t n_orders, next_order;
    int64_t hold_until_unix_s;
    unsigned n_holds; /* since the last certificate */
    struct candidate *candidates;
};

static const char *const state_words[] = {"missing", "waiting",  "failing", "paused",
                                          "valid",   "expiring", "foreign"};

_Static_assert(ARRAY_LEN(state_words) == ACME_STATE_COUNT, "a word a state");

const char *acme_state_word(enum acme_state state)
{
    return state_words[state];
}

/* SplitMix64: what is spread by chance need not be secret, but a test must be able to repeat it. */
static uint64_t plan_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t plan_random(struct acme_plan *plan)
{
    plan->random += UINT64_C(0x9e3779b97f4a7c15);
    return plan_mix(plan->random);
}

/* Between three and five quarters. */
static int64_t plan_jitter(struct acme_plan *plan, int64_t seconds)
{
    return seconds - seconds / 4 + (int64_t)(plan_random(plan) % (uint64_t)(seconds / 2 + 1));
}

static int64_t backoff_doubled(int64_t first, unsigned times, int64_t max)
{
    while (times-- > 0 && first < max)
        first *= 2;
    return first < max ? first : max;
}

struct acme_plan *acme_plan_new(const struct acme_plan_options *options)
{
    struct acme_plan *plan = memory_alloc(sizeof(*plan));

    *plan = (struct acme_plan){.options = *options, .random = options->seed};
    plan->orders = memory_alloc(options->orders_per_hour * sizeof(*plan->orders));
    return plan;
}

static void host_done(struct acme_host *host)
{
    free(host->name);
    free(host->reason);
}

void acme_plan_free(struct acme_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; i < plan->n_hosts; i++)
        host_done(&plan->hosts[i]);
    free(plan->hosts);
    free(plan->candidates);
    free(plan->orders);
    free(plan);
}

static void plan_add_order(struct acme_plan *plan, int64_t at_unix_s)
{
    plan->orders[plan->next_order] = at_unix_s;
    plan->next_order = (plan->next_order + 1) % plan->options.orders_per_hour;
    if (plan->n_orders < plan->options.orders_per_hour)
        plan->n_orders++;
}

/* Where the nth of the orders that are kept is, the oldest first. */
static int64_t *plan_order_slot(const struct acme_plan *plan, size_t nth)
{
    size_t size = plan->options.orders_per_hour;
    size_t at = plan->next_order + size - plan->n_orders + nth;

    return &plan->orders[at < size ? at : at - size];
}

static int64_t plan_order_at(const struct acme_plan *plan, size_t nth)
{
    return *plan_order_slot(plan, nth);
}

/* The clock may have been set back: an order that is yet to come counts as one of now. */
static bool order_counts(int64_t at_unix_s, int64_t now_unix_s)
{
    return at_unix_s > now_unix_s - HOUR_S;
}

size_t acme_plan_list_orders(const struct acme_plan *plan, int64_t now_unix_s, int64_t **ret_times)
{
    int64_t *times = memory_alloc((plan->n_orders + 1) * sizeof(*times));
    size_t n = 0;

    for (size_t i = 0; i < plan->n_orders; i++)
        if (order_counts(plan_order_at(plan, i), now_unix_s))
            times[n++] = plan_order_at(plan, i);
    *ret_times = times;
    return n;
}

size_t acme_plan_count(const struct acme_plan *plan)
{
    return plan->n_hosts;
}

const struct acme_host *acme_plan_host(const struct acme_plan *plan, size_t host)
{
    return &plan->hosts[host];
}

static int compare_host(const void *key, const void *element)
{
    return strcmp(key, ((const struct acme_host *)element)->name);
}

size_t acme_plan_find(const struct acme_plan *plan, const char *name)
{
    const struct acme_host *host = plan->n_hosts == 0 ? NULL
                                                      : bsearch(name, plan->hosts, plan->n_hosts,
                                                                sizeof(*plan->hosts), compare_host);

    return host ? (size_t)(host - plan->hosts) : plan->n_hosts;
}

/* How long before its end a certificate is to be renewed. */
static int64_t host_renewal_time(const struct acme_plan *plan, const struct acme_host *host)
{
    int64_t life_s = host->not_after_unix_s - host->not_before_unix_s;
    int64_t before_s = plan->options.renew_before_s;

    /* A certificate that lives shorter than that would be ordered again as soon as it has come. */
    return before_s == 0 || before_s > life_s * 2 / 3 ? life_s / 3 : before_s;
}

static uint64_t host_hash(const struct acme_host *host)
{
    uint64_t hash = (uint64_t)host->not_before_unix_s;

    for (const char *at = host->name; *at != '\0'; at++)
        hash = plan_mix(hash + (unsigned char)*at);
    return hash;
}

static int64_t host_due_unix_s(const struct acme_plan *plan, const struct acme_host *host)
{
    int64_t before_s = host_renewal_time(plan, host);

    return host->not_after_unix_s - before_s -
           (int64_t)(host_hash(host) % (uint64_t)(before_s / SPREAD + 1));
}

/* After each change of what the next try depends on. */
static void host_plan_next(const struct acme_plan *plan, struct acme_host *host)
{
    int64_t due_unix_s = host->not_after_unix_s > 0 ? host_due_unix_s(plan, host) : 0;

    host->begin_unix_s = due_unix_s > host->next_unix_s ? due_unix_s : host->next_unix_s;
}

void acme_plan_set_options(struct acme_plan *plan, const struct acme_plan_options *options)
{
    size_t n_before = plan->n_orders, kept;
    int64_t *before = memory_alloc((n_before + 1) * sizeof(*before));

    for (size_t i = 0; i < n_before; i++)
        before[i] = plan_order_at(plan, i);
    kept = n_before < options->orders_per_hour ? n_before : options->orders_per_hour;
    free(plan->orders);
    plan->options = *options;
    plan->orders = memory_alloc(options->orders_per_hour * sizeof(*plan->orders));
    plan->n_orders = plan->next_order = 0;
    for (size_t i = n_before - kept; i < n_before; i++)
        plan_add_order(plan, before[i]);
    free(before);
    for (size_t i = 0; i < plan->n_hosts; i++)
        host_plan_next(plan, &plan->hosts[i]);
}

void acme_plan_touch(struct acme_plan *plan, size_t host, int64_t now_unix_s)
{
    struct acme_host *it = &plan->hosts[host];
    bool has_failed = it->obstacle == ACME_REFUSED || it->obstacle == ACME_DISTURBED;

    if (it->obstacle != ACME_NOT_READY && !(has_failed && it->touch_unix_s <= now_unix_s))
        return;
    it->next_unix_s = 0;
    host_plan_next(plan, it);
}

void acme_plan_set_hosts(struct acme_plan *plan, const char *const *names, size_t n_names,
                         int64_t now_unix_s)
{
    struct acme_host *hosts = memory_alloc((n_names + 1) * sizeof(*hosts));
    size_t before = 0;

    for (size_t i = 0; i < n_names; i++) {
        while (before < plan->n_hosts && strcmp(plan->hosts[before].name, names[i]) < 0)
            host_done(&plan->hosts[before++]);
        if (before < plan->n_hosts && strcmp(plan->hosts[before].name, names[i]) == 0) {
            hosts[i] = plan->hosts[before++];
            continue;
        }
        hosts[i] = (struct acme_host){.name = strdup(names[i]), .since_unix_s = now_unix_s};
        if (!hosts[i].name)
            memory_fail();
    }
    while (before < plan->n_hosts)
        host_done(&plan->hosts[before++]);
    free(plan->hosts);
    free(plan->candidates);
    plan->hosts = hosts;
    plan->n_hosts = n_names;
    plan->candidates = memory_alloc((n_names + 1) * sizeof(*plan->candidates));
}

static int64_t host_urgent_unix_s(const struct acme_plan *plan, const struct acme_host *host)
{
    return host->not_after_unix_s - host_renewal_time(plan, host) / 2;
}

enum acme_state acme_plan_state(const struct acme_plan *plan, size_t host, int64_t now_unix_s)
{
    static const enum acme_state of_obstacle[ACME_OBSTACLE_COUNT] = {
        [ACME_NO_OBSTACLE] = ACME_MISSING, [ACME_NOT_READY] = ACME_WAITING,
        [ACME_DISTURBED] = ACME_FAILING,   [ACME_UNLUCKY] = ACME_FAILING,
        [ACME_HELD] = ACME_FAILING,        [ACME_REFUSED] = ACME_FAILING,
        [ACME_STOPPED] = ACME_PAUSED,      [ACME_UNTIMELY] = ACME_FAILING};
    const struct acme_host *it = &plan->hosts[host];

    if (it->is_foreign)
        return ACME_FOREIGN;
    if (it->obstacle == ACME_STOPPED || it->not_after_unix_s <= now_unix_s)
        return of_obstacle[it->obstacle];
    return host_urgent_unix_s(plan, it) <= now_unix_s ? ACME_EXPIRING : ACME_VALID;
}

void acme_plan_see(struct acme_plan *plan, size_t host, int64_t not_before_unix_s,
                   int64_t not_after_unix_s, bool is_foreign)
{
    struct acme_host *it = &plan->hosts[host];

    if (it->is_under_way || (it->is_fresh && not_after_unix_s < it->not_after_unix_s))
        return;
    it->is_seen = true;
    it->is_fresh = false;
    it->not_before_unix_s = not_before_unix_s;
    it->not_after_unix_s = not_after_unix_s;
    it->is_foreign = is_foreign;
    host_plan_next(plan, it);
}

static struct candidate candidate_make(const struct acme_plan *plan, size_t host,
                                       int64_t now_unix_s)
{
    const struct acme_host *it = &plan->hosts[host];

    /* Who has failed often goes behind those who have not. */
    if (it->not_after_unix_s == 0)
        return (struct candidate){host, FIRST_ORDER,
                                  it->since_unix_s + (int64_t)it->n_failures * DAY_S};
    return (struct candidate){host,
                              host_urgent_unix_s(plan, it) <= now_unix_s ? URGENT_RENEWAL : RENEWAL,
                              it->not_after_unix_s};
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;

    if (one->urgency != other->urgency)
        return one->urgency < other->urgency ? -1 : 1;
    if (one->at_unix_s != other->at_unix_s)
        return one->at_unix_s < other->at_unix_s ? -1 : 1;
    return one->host < other->host ? -1 : one->host > other->host;
}

/* Seconds until the rate has room; 0: it has. */
static int64_t plan_rate_wait(const struct acme_plan *plan, int64_t now_unix_s, size_t *ret_room)
{
    size_t n_counting = 0;

    for (size_t i = 0; i < plan->n_orders; i++)
        n_counting += order_counts(plan_order_at(plan, i), now_unix_s);
    *ret_room = plan->options.orders_per_hour - n_counting;
    if (*ret_room > 0)
        return 0;
    return plan_order_at(plan, 0) > now_unix_s ? HOUR_S
                                               : plan_order_at(plan, 0) + HOUR_S - now_unix_s;
}

int64_t acme_plan_full_until(const struct acme_plan *plan, int64_t now_unix_s)
{
    size_t room;
    int64_t wait_s = plan_rate_wait(plan, now_unix_s, &room);

    return wait_s > 0 ? now_unix_s + wait_s : 0;
}

/* Whether a certificate that was issued just now has such dates. */
static bool host_is_timely(const struct acme_plan *plan, const struct acme_host *host,
                           int64_t now_unix_s)
{
    return host->not_before_unix_s <= now_unix_s + EARLY_MAX_S &&
           host_due_unix_s(plan, host) > now_unix_s;
}

static void host_set_reason(struct acme_host *host, const char *reason)
{
    free(host->reason);
    host->reason = reason ? strndup(reason, ACME_REASON_MAX - 1) : NULL;
    if (reason && !host->reason)
        memory_fail();
}

static void host_forget_failures(const struct acme_plan *plan, struct acme_host *host)
{
    host->n_failures = 0;
    host->next_unix_s = 0;
    host->obstacle = ACME_NO_OBSTACLE;
    host_set_reason(host, NULL);
    host_plan_next(plan, host);
}

/* The clock may have been set back: nobody waits for the time that it has shown before. */
static void plan_forget_future(struct acme_plan *plan, int64_t now_unix_s)
{
    if (plan->hold_until_unix_s > now_unix_s + ACME_HOLD_NAMED_MAX_S)
        plan->hold_until_unix_s = 0;
    for (size_t i = 0; i < plan->n_orders; i++)
        if (plan_order_at(plan, i) > now_unix_s)
            *plan_order_slot(plan, i) = now_unix_s;
    for (size_t i = 0; i < plan->n_hosts; i++) {
        struct acme_host *host = &plan->hosts[i];

        if (host->obstacle == ACME_UNTIMELY && host->not_after_unix_s > 0 &&
            host_is_timely(plan, host, now_unix_s))
            host_forget_failures(plan, host);
        if (host->next_unix_s <= now_unix_s + 2 * ACME_BACKOFF_MAX_S)
            continue;
        host->next_unix_s = 0;
        host_plan_next(plan, host);
    }
}

static size_t plan_list_candidates(struct acme_plan *plan, int64_t now_unix_s, int64_t *ret_wait_s)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_hosts; i++) {
        const struct acme_host *host = &plan->hosts[i];
        int64_t wait_s;

        if (host->is_under_way || host->is_foreign || !host->is_seen)
            continue;
        wait_s = host->begin_unix_s - now_unix_s;
        if (wait_s <= 0)
            plan->candidates[n++] = candidate_make(plan, i, now_unix_s);
        else if (wait_s < *ret_wait_s)
            *ret_wait_s = wait_s;
    }
    return n;
}

size_t acme_plan_pick(struct acme_plan *plan, int64_t now_unix_s, size_t max, size_t *ret_hosts,
                      int64_t *ret_wait_s)
{
    size_t room, n;

    plan_forget_future(plan, now_unix_s);
    *ret_wait_s = plan->hold_until_unix_s - now_unix_s;
    if (*ret_wait_s > 0)
        return 0;
    *ret_wait_s = plan_rate_wait(plan, now_unix_s, &room);
    if (*ret_wait_s > 0)
        return 0;
    *ret_wait_s = DAY_S;
    n = plan_list_candidates(plan, now_unix_s, ret_wait_s);
    qsort(plan->candidates, n, sizeof(*plan->candidates), compare_candidates);
    if (max > room)
        max = room;
    if (n > max) {
        n = max;
        *ret_wait_s = 0;
    }
    for (size_t i = 0; i < n; i++) {
        ret_hosts[i] = plan->candidates[i].host;
        plan->hosts[ret_hosts[i]].is_under_way = true;
    }
    return n;
}

void acme_plan_order(struct acme_plan *plan, int64_t now_unix_s)
{
    plan_add_order(plan, now_unix_s);
}

bool acme_plan_succeed(struct acme_plan *plan, size_t host, int64_t not_before_unix_s,
                       int64_t not_after_unix_s, int64_t now_unix_s)
{
    struct acme_host *it = &plan->hosts[host];

    it->not_before_unix_s = not_before_unix_s;
    it->not_after_unix_s = not_after_unix_s;
    it->is_under_way = false;
    it->is_fresh = true;
    host_forget_failures(plan, it);
    plan->n_holds = 0;
    return host_is_timely(plan, it, now_unix_s);
}

/* Seconds until the next try, after the first failure in turn. A day would be too long for a
 * certificate that lives for a day. */
static int64_t host_backoff_first(const struct acme_host *host, enum acme_obstacle obstacle)
{
    static const int64_t first_s[ACME_OBSTACLE_COUNT] = {
        [ACME_NOT_READY] = ACME_BACKOFF_S,       [ACME_DISTURBED] = ACME_BACKOFF_S,
        [ACME_UNLUCKY] = ACME_BACKOFF_UNLUCKY_S, [ACME_REFUSED] = ACME_BACKOFF_ORDER_S,
        [ACME_STOPPED] = ACME_BACKOFF_MAX_S,     [ACME_UNTIMELY] = ACME_BACKOFF_MAX_S};
    int64_t third_s = (host->not_after_unix_s - host->not_before_unix_s) / 3;

    return obstacle == ACME_UNTIMELY && third_s < first_s[obstacle] ? third_s : first_s[obstacle];
}

void acme_plan_fail(struct acme_plan *plan, size_t host, enum acme_obstacle obstacle,
                    const char *reason, int64_t now_unix_s)
{
    struct acme_host *it = &plan->hosts[host];

    it->is_under_way = false;
    if (obstacle == ACME_HELD) {
        it->next_unix_s = plan->hold_until_unix_s;
    } else {
        it->next_unix_s =
            now_unix_s + plan_jitter(plan, backoff_doubled(host_backoff_first(it, obstacle),
                                                           it->n_failures, ACME_BACKOFF_MAX_S));
        it->n_failures++;
    }
    it->touch_unix_s = now_unix_s + ACME_TOUCH_S;
    it->obstacle = obstacle;
    host_set_reason(it, reason);
    host_plan_next(plan, it);
}

/* A time that an authority has named, as far as it is to be trusted. */
static int64_t plan_named_time(int64_t until_unix_s, int64_t max_s, int64_t now_unix_s)
{
    return until_unix_s < now_unix_s + max_s ? until_unix_s : now_unix_s + max_s;
}

void acme_plan_postpone(struct acme_plan *plan, size_t host, int64_t until_unix_s,
                        int64_t now_unix_s)
{
    struct acme_host *it = &plan->hosts[host];

    it->next_unix_s = plan_named_time(until_unix_s, ACME_BACKOFF_MAX_S, now_unix_s);
    it->touch_unix_s = it->next_unix_s;
    host_plan_next(plan, it);
}

void acme_plan_put_back(struct acme_plan *plan, size_t host)
{
    plan->hosts[host].is_under_way = false;
}

/* Several orders of the same time are told the same. Returns whether this is the first. */
static bool plan_begin_hold(struct acme_plan *plan, int64_t seconds, int64_t now_unix_s)
{
    if (plan->hold_until_unix_s > now_unix_s)
        return false;
    plan->hold_until_unix_s = now_unix_s + plan_jitter(plan, seconds);
    return true;
}

int64_t acme_plan_hold(struct acme_plan *plan, int64_t now_unix_s)
{
    if (plan_begin_hold(plan, backoff_doubled(ACME_HOLD_S, plan->n_holds, ACME_HOLD_MAX_S),
                        now_unix_s))
        plan->n_holds++;
    return plan->hold_until_unix_s - now_unix_s;
}

int64_t acme_plan_hold_until(struct acme_plan *plan, int64_t until_unix_s, int64_t now_unix_s)
{
    until_unix_s = plan_named_time(until_unix_s, ACME_HOLD_NAMED_MAX_S, now_unix_s);
    if (plan->hold_until_unix_s < until_unix_s)
        plan->hold_until_unix_s = until_unix_s;
    return plan->hold_until_unix_s - now_unix_s;
}

int64_t acme_plan_wait(struct acme_plan *plan, int64_t now_unix_s)
{
    plan_begin_hold(plan, ACME_HOLD_S, now_unix_s);
    return plan->hold_until_unix_s - now_unix_s;
}

int64_t acme_plan_held_until(const struct acme_plan *plan)
{
    return plan->hold_until_unix_s;
}

void acme_plan_restore_order(struct acme_plan *plan, int64_t at_unix_s)
{
    plan_add_order(plan, at_unix_s);
}

void acme_plan_restore_hold(struct acme_plan *plan, int64_t until_unix_s)
{
    plan->hold_until_unix_s = until_unix_s;
}

void acme_plan_restore_host(struct acme_plan *plan, size_t host, enum acme_obstacle obstacle,
                            uint32_t n_failures, int64_t next_unix_s, const char *reason)
{
    struct acme_host *it = &plan->hosts[host];

    it->obstacle = obstacle;
    it->n_failures = n_failures;
    it->next_unix_s = next_unix_s;
    host_set_reason(it, reason);
    host_plan_next(plan, it);
}
