/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_orders.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/main/acme_book_file.h"
#include "daemon/main/acme_order.h"
#include "daemon/main/acme_readiness.h"
#include "daemon/main/acme_sweeper.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

enum {
    ACCOUNT_UNLUCKY_MAX = 5,
};

enum acme_account_state {
    ACCOUNT_UNKNOWN,
    ACCOUNT_ASKED_FOR,
    ACCOUNT_GOOD,
};

struct acme_orders {
    struct acme_orders_options options;
    pthread_mutex_t lock; /* of is_stopped */
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer;
    enum acme_account_state account;
    unsigned n_unlucky; /* how often in turn an account met no more than a refused nonce */
    struct acme_hosts *hosts;
    struct acme_book_file *book;
    struct acme_sweeper *sweeper;
    struct acme_readiness *readiness;
    struct acme_order *slots[ACME_ORDERS_AT_ONCE];
    char ready[ACME_READINESS_HOSTS_MAX][POLICY_HOST_SIZE]; /* that wait for a slot */
    size_t n_ready;
};

static struct acme_order *orders_free_slot(const struct acme_orders *orders)
{
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        if (!acme_order_is_under_way(orders->slots[i]))
            return orders->slots[i];
    return NULL;
}

/* A host that leaves and comes back meanwhile is a new one to the plan. */
static bool orders_has_host(const struct acme_orders *orders, const char *host)
{
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        if (acme_order_is_under_way(orders->slots[i]) &&
            strcmp(acme_order_host(orders->slots[i]), host) == 0)
            return true;
    return false;
}

static void orders_put_back(struct acme_orders *orders)
{
    while (orders->n_ready > 0)
        acme_hosts_put_back(orders->hosts, orders->ready[--orders->n_ready]);
}

static void orders_start_ready(struct acme_orders *orders)
{
    struct acme_order *slot;

    while (orders->n_ready > 0 && orders->account != ACCOUNT_ASKED_FOR &&
           (slot = orders_free_slot(orders))) {
        const char *host;

        if (orders->account == ACCOUNT_UNKNOWN) {
            orders->account = ACCOUNT_ASKED_FOR;
            acme_order_start(slot, NULL, NULL);
            return;
        }
        host = orders->ready[--orders->n_ready];
        if (orders_has_host(orders, host)) {
            acme_hosts_put_back(orders->hosts, host);
        } else if (acme_hosts_begin_order(orders->hosts, host)) {
            acme_book_file_change(orders->book);
            acme_order_start(slot, host, *orders->options.store);
        }
    }
}

/* Returns seconds until there may be another host to try. */
static int64_t orders_pick(struct acme_orders *orders)
{
    char names[ACME_READINESS_HOSTS_MAX][POLICY_HOST_SIZE];
    const char *asked[ACME_READINESS_HOSTS_MAX];
    int64_t wait_s;
    size_t n = acme_hosts_pick(orders->hosts, ACME_READINESS_HOSTS_MAX, names, &wait_s);

    for (size_t i = 0; i < n; i++)
        asked[i] = names[i];
    if (n > 0)
        acme_readiness_ask(orders->readiness, asked, n);
    return wait_s;
}

static void orders_on_timer(uv_timer_t *timer)
{
    struct acme_orders *orders = timer->data;

    acme_orders_look(orders);
}

/* Returns seconds until there may be more to do. */
static int64_t orders_go_on(struct acme_orders *orders)
{
    orders_start_ready(orders);
    if (acme_readiness_is_under_way(orders->readiness) || orders->n_ready > 0 ||
        !orders_free_slot(orders))
        return 0;
    return orders_pick(orders);
}

static void orders_turn(uv_async_t *wake)
{
    struct acme_orders *orders = wake->data;
    const struct clock *clock = orders->options.clock;
    uint64_t wait_ms = orders->options.look_ms;
    bool is_possible = acme_book_file_is_good(orders->book);
    int64_t wait_s = 0;

    if (orders->is_stopped)
        return;
    if (is_possible)
        wait_s = orders_go_on(orders);
    else
        orders_put_back(orders);
    if (wait_s > 0 && (uint64_t)wait_s * 1000 < wait_ms)
        wait_ms = (uint64_t)wait_s * 1000;
    acme_book_file_save(orders->book);
    acme_hosts_count(orders->hosts);
    if (!is_possible)
        orders->options.stats->held_until_unix_s = clock->unix_s(clock) + (int64_t)(wait_ms / 1000);
    uv_timer_start(&orders->timer, orders_on_timer, wait_ms, 0);
}

static void orders_hold(struct acme_orders *orders, const struct acme_order_end *end)
{
    orders_put_back(orders);
    if (end->retry_unix_s > 0)
        acme_hosts_hold_until(orders->hosts, end->reason, end->retry_unix_s);
    else
        acme_hosts_hold(orders->hosts, end->reason);
}

static void orders_take_account(struct acme_orders *orders, const struct acme_order_end *end)
{
    bool is_unlucky =
        end->outcome == ACME_HOST_DISTURBED && orders->n_unlucky < ACCOUNT_UNLUCKY_MAX;
    const struct clock *clock = orders->options.clock;

    orders->account = end->outcome == ACME_ORDERED ? ACCOUNT_GOOD : ACCOUNT_UNKNOWN;
    orders->n_unlucky = is_unlucky ? orders->n_unlucky + 1 : 0;
    if (end->outcome == ACME_ORDERED)
        return;
    if (is_unlucky) {
        orders_put_back(orders);
        acme_hosts_hold_until(orders->hosts, end->reason,
                              clock->unix_s(clock) + ACME_BACKOFF_UNLUCKY_S);
    } else if (end->outcome == ACME_OBSTRUCTED) {
        orders_put_back(orders);
        acme_hosts_wait(orders->hosts, end->reason);
    } else {
        orders_hold(orders, end);
    }
}

/* After some holds too the host has failed: it may be this one alone that the authority cannot cope
 * with. */
static void orders_take_failure(struct acme_orders *orders, const struct acme_order_end *end)
{
    static const struct {
        enum acme_obstacle obstacle;
        bool holds; /* all hosts */
    } of_outcome[] = {
        [ACME_HOST_FAILED] = {ACME_REFUSED, false},  [ACME_HOST_DISTURBED] = {ACME_UNLUCKY, false},
        [ACME_HOST_LIMITED] = {ACME_REFUSED, false}, [ACME_HOST_PAUSED] = {ACME_STOPPED, false},
        [ACME_LIMITED] = {ACME_REFUSED, true},       [ACME_UNREACHABLE] = {ACME_HELD, true},
        [ACME_OUT_OF_ORDER] = {ACME_REFUSED, true},  [ACME_OBSTRUCTED] = {ACME_DISTURBED, false},
        [ACME_NO_ACCOUNT] = {ACME_HELD, true},
    };

    if (end->outcome == ACME_NO_ACCOUNT)
        orders->account = ACCOUNT_UNKNOWN;
    if (of_outcome[end->outcome].holds)
        orders_hold(orders, end);
    acme_hosts_fail(orders->hosts, end->host, of_outcome[end->outcome].obstacle, end->reason,
                    end->retry_unix_s);
}

static void orders_take_host(struct acme_orders *orders, const struct acme_order_end *end)
{
    struct acme_stats *stats = orders->options.stats;

    if (end->outcome == ACME_ORDERED) {
        atomic_fetch_add(&stats->n_ordered, 1);
        acme_hosts_succeed(orders->hosts, end->host, &end->dates,
                           end->is_kept ? ACME_OF_EARLIER_ORDER : ACME_JUST_ISSUED);
        orders->options.installed(orders->options.context);
    } else {
        atomic_fetch_add(&stats->n_failed, 1);
        orders_take_failure(orders, end);
    }
}

static void orders_take_end(void *context, const struct acme_order_end *end)
{
    struct acme_orders *orders = context;

    if (end->host)
        orders_take_host(orders, end);
    else
        orders_take_account(orders, end);
    acme_book_file_change(orders->book);
    acme_orders_look(orders);
}

static void orders_take_readiness(void *context, const char *host, const char *reason)
{
    struct acme_orders *orders = context;

    if (reason) {
        acme_hosts_fail(orders->hosts, host, ACME_NOT_READY, reason, 0);
        acme_book_file_change(orders->book);
    } else {
        strcpy(orders->ready[orders->n_ready++], host);
    }
}

static void orders_readiness_done(void *context, const char *fault)
{
    (void)fault; /* is the reason of each host that was not answered */
    acme_orders_look(context);
}

static void orders_book_written(void *context)
{
    acme_orders_look(context);
}

static void orders_make_parts(struct acme_orders *orders)
{
    const struct acme_orders_options *options = &orders->options;
    const struct acme_hosts_options hosts = {.commands = options->commands,
                                             .clock = options->clock,
                                             .stats = options->stats,
                                             .seed = options->seed};
    const struct acme_sweeper_options sweeper = {.loop = options->loop,
                                                 .commands = options->commands,
                                                 .config = options->config,
                                                 .clock = options->clock};
    const struct acme_order_options order = {.loop = options->loop,
                                             .spawner = options->spawner,
                                             .commands = options->commands,
                                             .timeout_ms = ACME_ORDER_TIMEOUT_MS};
    const struct acme_readiness_options readiness = {.loop = options->loop,
                                                     .spawner = options->spawner,
                                                     .host = orders_take_readiness,
                                                     .done = orders_readiness_done,
                                                     .context = orders};
    struct acme_book_file_options book = {.loop = options->loop,
                                          .path = acme_commands_book(options->commands),
                                          .written = orders_book_written,
                                          .context = orders};

    orders->hosts = book.hosts = acme_hosts_new(&hosts, *options->config);
    orders->book = acme_book_file_new(&book);
    orders->sweeper = acme_sweeper_new(&sweeper);
    orders->readiness = acme_readiness_new(&readiness);
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        orders->slots[i] = acme_order_new(&order, orders_take_end, orders);
    uv_async_init(options->loop, &orders->wake, orders_turn);
    uv_timer_init(options->loop, &orders->timer);
    orders->wake.data = orders->timer.data = orders;
}

struct acme_orders *acme_orders_new(const struct acme_orders_options *options)
{
    struct acme_orders *orders;
    struct err err;

    if (!options->commands)
        return NULL;
    orders = memory_alloc(sizeof(*orders));
    *orders = (struct acme_orders){.options = *options};
    pthread_mutex_init(&orders->lock, NULL);
    if (acme_commands_clean(options->commands, &err) != 0)
        log_line(LOG_WARNING, "acme: what orders of an earlier process have left stays: %s",
                 err.msg);
    orders_make_parts(orders);
    acme_book_file_read(orders->book);
    acme_orders_look(orders);
    return orders;
}

void acme_orders_set_config(struct acme_orders *orders)
{
    if (!orders)
        return;
    acme_hosts_set_config(orders->hosts, *orders->options.config);
    acme_book_file_change(orders->book);
    acme_sweeper_look(orders->sweeper);
    acme_orders_look(orders);
}

void acme_orders_see(struct acme_orders *orders, const char *name, const struct cert_state *state)
{
    if (orders)
        acme_hosts_see(orders->hosts, name, state);
}

void acme_orders_look(struct acme_orders *orders)
{
    if (!orders)
        return;
    pthread_mutex_lock(&orders->lock);
    if (!orders->is_stopped)
        uv_async_send(&orders->wake);
    pthread_mutex_unlock(&orders->lock);
}

int acme_orders_find(struct acme_orders *orders, const char *name, struct acme_host_info *ret_info)
{
    return orders ? acme_hosts_find(orders->hosts, name, ret_info) : -1;
}

void acme_orders_stop(struct acme_orders *orders)
{
    if (!orders)
        return;
    pthread_mutex_lock(&orders->lock);
    orders->is_stopped = true;
    pthread_mutex_unlock(&orders->lock);
    uv_timer_stop(&orders->timer);
    acme_book_file_stop(orders->book);
    acme_sweeper_stop(orders->sweeper);
    acme_readiness_stop(orders->readiness);
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        acme_order_stop(orders->slots[i]);
}

void acme_orders_free(struct acme_orders *orders)
{
    if (!orders)
        return;
    acme_readiness_free(orders->readiness);
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        acme_order_free(orders->slots[i]);
    acme_book_file_free(orders->book);
    acme_sweeper_free(orders->sweeper);
    acme_hosts_free(orders->hosts);
    pthread_mutex_destroy(&orders->lock);
    free(orders);
}
