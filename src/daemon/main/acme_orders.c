/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_orders.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uv.h>

#include "daemon/acme/acme_book.h"
#include "daemon/acme/acme_commands.h"
#include "daemon/acme/acme_sweep.h"
#include "daemon/main/acme_order.h"
#include "daemon/main/acme_readiness.h"
#include "daemon/main/job.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

enum {
    BOOK_MODE = 0600,
};

enum acme_account_state {
    ACCOUNT_UNKNOWN,
    ACCOUNT_ASKED_FOR,
    ACCOUNT_GOOD,
};

struct acme_orders {
    struct acme_orders_options options;
    pthread_mutex_t lock; /* of the plan and is_stopped */
    struct acme_plan *plan;
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer;
    enum acme_account_state account;
    struct acme_readiness *readiness;
    struct acme_order *slots[ACME_ORDERS_AT_ONCE];
    char ready[ACME_READINESS_HOSTS_MAX][POLICY_HOST_SIZE]; /* that wait for a slot */
    size_t n_ready;

    /* Of hosts that have left. */
    uv_timer_t sweep_timer;
    struct job *sweep;
    struct config *swept; /* one reference; NULL: no sweep is under way */
    struct acme_sweep_counts sweep_counts;

    /* The book that is to be written. */
    bool is_book_changed;
    struct job *write;
    char *book; /* the job's while it runs */
    size_t book_len;
    int write_result;
    struct err write_err;
};

static int64_t orders_now(const struct acme_orders *orders)
{
    return orders->options.clock->unix_s(orders->options.clock);
}

static struct acme_plan_options orders_plan_options(const struct acme_orders_options *options)
{
    const struct acme_settings *acme = (*options->config)->acme;

    return (struct acme_plan_options){.orders_per_hour = acme->orders_per_hour,
                                      .renew_before_s = acme->renew_before_s,
                                      .seed = options->seed};
}

/* With the lock held. */
static void orders_set_hosts(struct acme_orders *orders)
{
    const struct config *config = *orders->options.config;
    char(*hosts)[POLICY_HOST_SIZE] = memory_alloc((config->n_domains + 1) * sizeof(*hosts));
    const char **names = memory_alloc((config->n_domains + 1) * sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; i < config->n_domains; i++) {
        if (!config->domains[i].document)
            continue;
        dns_policy_host_render(config->domains[i].name, hosts[n]);
        names[n] = hosts[n];
        n++;
    }
    acme_plan_set_hosts(orders->plan, names, n, orders_now(orders));
    free(names);
    free(hosts);
}

static void orders_read_book(struct acme_orders *orders)
{
    const char *path = acme_commands_book(orders->options.commands);
    struct arena *arena = arena_new(0);
    struct stat status;
    struct slice text;
    struct err err;
    size_t n_bad;

    if (file_read_regular(path, ACME_BOOK_MAX, arena, &status, &text, &err) == 0) {
        n_bad = acme_book_parse(text, orders->plan, orders_now(orders));
        if (n_bad > 0)
            log_line(LOG_WARNING, "acme: '%s' has %zu damaged line%s, which %s left out", path,
                     n_bad, n_bad == 1 ? "" : "s", n_bad == 1 ? "is" : "are");
    } else if (err.sys_errno != ENOENT) {
        log_line(LOG_WARNING, "acme: what earlier orders have brought is unknown: %s", err.msg);
    }
    arena_free(arena);
}

/* In the thread pool. */
static int orders_print_book(void *context, FILE *out)
{
    const struct acme_orders *orders = context;

    return fwrite(orders->book, 1, orders->book_len, out) == orders->book_len ? 0 : -1;
}

static void orders_write_book(void *context)
{
    struct acme_orders *orders = context;

    orders->write_result = file_replace(acme_commands_book(orders->options.commands), BOOK_MODE,
                                        orders_print_book, orders, &orders->write_err);
}

/* What happens meanwhile is written after it. With the lock held. */
static void orders_save(struct acme_orders *orders)
{
    FILE *out;

    if (!orders->is_book_changed || orders->book || orders->is_stopped)
        return;
    orders->is_book_changed = false;
    out = open_memstream(&orders->book, &orders->book_len);
    if (!out)
        memory_fail();
    acme_book_print(orders->plan, orders_now(orders), out);
    if (fclose(out) != 0)
        memory_fail();
    job_start(orders->write);
}

static void orders_book_written(void *context)
{
    struct acme_orders *orders = context;

    free(orders->book);
    orders->book = NULL;
    if (orders->write_result != 0)
        log_line(LOG_ERROR, "acme: %s; a restart will not know of the last orders",
                 orders->write_err.msg);
    acme_orders_look(orders);
}

/* In the thread pool. */
static void orders_sweep(void *context)
{
    struct acme_orders *orders = context;

    acme_sweep_run(orders->options.commands, orders->swept, orders_now(orders),
                   &orders->sweep_counts);
}

static void orders_swept(void *context)
{
    struct acme_orders *orders = context;
    const struct acme_sweep_counts *counts = &orders->sweep_counts;

    config_unref(orders->swept);
    orders->swept = NULL;
    if (counts->n_marked > 0)
        log_line(
            LOG_INFO,
            "acme: the certificates of %zu host%s that left the configuration are not renewed, "
            "and are removed in 60 days",
            counts->n_marked, counts->n_marked == 1 ? "" : "s");
    if (counts->n_removed > 0)
        log_line(LOG_INFO,
                 "acme: the certificates of %zu host%s that left the configuration 60 days ago are "
                 "removed",
                 counts->n_removed, counts->n_removed == 1 ? "" : "s");
}

static void orders_begin_sweep(struct acme_orders *orders)
{
    if (orders->swept || orders->is_stopped)
        return;
    orders->swept = config_ref(*orders->options.config);
    if (!job_start(orders->sweep))
        orders_swept(orders);
}

static void orders_on_sweep_timer(uv_timer_t *timer)
{
    orders_begin_sweep(timer->data);
}

/* With the lock held. */
static void orders_count(struct acme_orders *orders)
{
    struct acme_stats *stats = orders->options.stats;
    uint64_t n_hosts[ACME_STATE_COUNT] = {0};
    int64_t now_unix_s = orders_now(orders), earliest_unix_s = 0, held_until_unix_s;

    for (size_t i = 0; i < acme_plan_count(orders->plan); i++) {
        const struct acme_host *host = acme_plan_host(orders->plan, i);
        int64_t not_after_unix_s = host->is_foreign ? 0 : host->not_after_unix_s;

        n_hosts[acme_plan_state(orders->plan, i, now_unix_s)]++;
        if (not_after_unix_s > 0 && (earliest_unix_s == 0 || not_after_unix_s < earliest_unix_s))
            earliest_unix_s = not_after_unix_s;
    }
    for (size_t i = 0; i < ACME_STATE_COUNT; i++)
        stats->n_hosts[i] = n_hosts[i];
    held_until_unix_s = acme_plan_held_until(orders->plan);
    stats->earliest_expiry_unix_s = earliest_unix_s;
    stats->held_until_unix_s = held_until_unix_s > now_unix_s ? held_until_unix_s : 0;
}

static struct acme_order *orders_free_slot(struct acme_orders *orders)
{
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        if (!acme_order_is_under_way(orders->slots[i]))
            return orders->slots[i];
    return NULL;
}

static void orders_start_ready(struct acme_orders *orders)
{
    struct acme_order *slot;

    while (orders->n_ready > 0 && orders->account != ACCOUNT_ASKED_FOR &&
           (slot = orders_free_slot(orders))) {
        if (orders->account == ACCOUNT_UNKNOWN) {
            orders->account = ACCOUNT_ASKED_FOR;
            acme_order_start(slot, NULL, NULL);
            return;
        }
        pthread_mutex_lock(&orders->lock);
        acme_plan_order(orders->plan, orders_now(orders));
        pthread_mutex_unlock(&orders->lock);
        orders->is_book_changed = true;
        acme_order_start(slot, orders->ready[--orders->n_ready], *orders->options.store);
    }
}

/* Returns seconds until there may be another host to try. */
static int64_t orders_pick(struct acme_orders *orders)
{
    const char *names[ACME_READINESS_HOSTS_MAX];
    size_t hosts[ACME_READINESS_HOSTS_MAX], n;
    int64_t wait_s;

    pthread_mutex_lock(&orders->lock);
    n = acme_plan_pick(orders->plan, orders_now(orders), ACME_READINESS_HOSTS_MAX, hosts, &wait_s);
    for (size_t i = 0; i < n; i++)
        names[i] = acme_plan_host(orders->plan, hosts[i])->name;
    pthread_mutex_unlock(&orders->lock);
    if (n > 0)
        acme_readiness_ask(orders->readiness, names, n);
    return wait_s;
}

static void orders_on_timer(uv_timer_t *timer)
{
    struct acme_orders *orders = timer->data;

    acme_orders_look(orders);
}

static void orders_turn(uv_async_t *wake)
{
    struct acme_orders *orders = wake->data;
    uint64_t wait_ms = orders->options.look_ms;
    int64_t wait_s;

    if (orders->is_stopped)
        return;
    orders_start_ready(orders);
    if (!acme_readiness_is_under_way(orders->readiness) && orders->n_ready == 0 &&
        orders_free_slot(orders)) {
        wait_s = orders_pick(orders);
        if (wait_s > 0 && (uint64_t)wait_s * 1000 < wait_ms)
            wait_ms = (uint64_t)wait_s * 1000;
    }
    pthread_mutex_lock(&orders->lock);
    orders_save(orders);
    orders_count(orders);
    pthread_mutex_unlock(&orders->lock);
    uv_timer_start(&orders->timer, orders_on_timer, wait_ms, 0);
}

/* Says when a host is tried again, for a line in the log. */
static const char *orders_print_next(const struct acme_orders *orders, size_t host,
                                     char buffer[static WHEN_SIZE])
{
    int64_t wait_s = acme_plan_host(orders->plan, host)->next_unix_s - orders_now(orders);

    return when_duration(wait_s > 0 ? (uint64_t)wait_s : 0, buffer);
}

static void orders_fail(struct acme_orders *orders, const char *name, enum acme_obstacle obstacle,
                        const char *reason)
{
    size_t host = acme_plan_find(orders->plan, name);
    enum log_level level = obstacle == ACME_STOPPED ? LOG_ERROR : LOG_WARNING;
    const struct acme_host *it;
    char wait[WHEN_SIZE];
    bool is_known;

    if (host == acme_plan_count(orders->plan))
        return;
    it = acme_plan_host(orders->plan, host);
    is_known = it->obstacle == obstacle && it->reason && strcmp(it->reason, reason) == 0;
    pthread_mutex_lock(&orders->lock);
    acme_plan_fail(orders->plan, host, obstacle, reason, orders_now(orders));
    pthread_mutex_unlock(&orders->lock);
    orders->is_book_changed = true;
    if (obstacle == ACME_NOT_READY && is_known)
        return;
    log_line(level, "acme: %s: %s: %s; it is tried again in %s", name,
             obstacle == ACME_NOT_READY ? "no certificate can be ordered yet"
                                        : "no certificate was issued",
             reason, orders_print_next(orders, host, wait));
}

static void orders_put_back(struct acme_orders *orders)
{
    pthread_mutex_lock(&orders->lock);
    while (orders->n_ready > 0) {
        size_t host = acme_plan_find(orders->plan, orders->ready[--orders->n_ready]);

        if (host < acme_plan_count(orders->plan))
            acme_plan_put_back(orders->plan, host);
    }
    pthread_mutex_unlock(&orders->lock);
}

static void orders_hold(struct acme_orders *orders, const char *reason)
{
    char wait[WHEN_SIZE];
    bool was_held = acme_plan_held_until(orders->plan) > orders_now(orders);
    int64_t wait_s;

    orders_put_back(orders);
    pthread_mutex_lock(&orders->lock);
    wait_s = acme_plan_hold(orders->plan, orders_now(orders));
    pthread_mutex_unlock(&orders->lock);
    orders->is_book_changed = true;
    if (!was_held)
        log_line(LOG_WARNING, "acme: no certificates are ordered for %s: %s",
                 when_duration((uint64_t)wait_s, wait), reason);
}

static void orders_succeed(struct acme_orders *orders, const struct acme_order_end *end)
{
    size_t host = acme_plan_find(orders->plan, end->host);
    char date[WHEN_SIZE];

    if (host < acme_plan_count(orders->plan)) {
        pthread_mutex_lock(&orders->lock);
        acme_plan_succeed(orders->plan, host, end->dates.not_before_unix_s,
                          end->dates.not_after_unix_s);
        pthread_mutex_unlock(&orders->lock);
    }
    orders->is_book_changed = true;
    log_line(LOG_INFO, "acme: %s: a new certificate is installed, valid until %s", end->host,
             when_date(end->dates.not_after_unix_s, date));
    orders->options.installed(orders->options.context);
}

static void orders_take_account(struct acme_orders *orders, const struct acme_order_end *end)
{
    orders->account = end->outcome == ACME_ORDERED ? ACCOUNT_GOOD : ACCOUNT_UNKNOWN;
    if (end->outcome != ACME_ORDERED)
        orders_hold(orders, end->reason);
}

static void orders_take_host(struct acme_orders *orders, const struct acme_order_end *end)
{
    atomic_fetch_add(end->outcome == ACME_ORDERED ? &orders->options.stats->n_ordered
                                                  : &orders->options.stats->n_failed,
                     1);
    switch (end->outcome) {
    case ACME_ORDERED:
        orders_succeed(orders, end);
        return;
    case ACME_HOST_PAUSED:
        orders_fail(orders, end->host, ACME_STOPPED, end->reason);
        return;
    case ACME_HOST_DISTURBED:
        orders_fail(orders, end->host, ACME_DISTURBED, end->reason);
        return;
    case ACME_HOST_FAILED:
        break;
    case ACME_NO_ACCOUNT:
        orders->account = ACCOUNT_UNKNOWN;
        orders_hold(orders, end->reason);
        break;
    case ACME_LIMITED:
    case ACME_UNREACHABLE:
        orders_hold(orders, end->reason);
        break;
    }
    /* After a hold too: it may be this host alone that the authority cannot cope with. */
    orders_fail(orders, end->host, ACME_REFUSED, end->reason);
}

static void orders_take_end(void *context, const struct acme_order_end *end)
{
    struct acme_orders *orders = context;

    if (end->host)
        orders_take_host(orders, end);
    else
        orders_take_account(orders, end);
    acme_orders_look(orders);
}

static void orders_take_readiness(void *context, const char *host, const char *reason)
{
    struct acme_orders *orders = context;

    if (reason)
        orders_fail(orders, host, ACME_NOT_READY, reason);
    else
        strcpy(orders->ready[orders->n_ready++], host);
}

static void orders_readiness_done(void *context, const char *fault)
{
    (void)fault; /* is the reason of each host that was not answered */
    acme_orders_look(context);
}

static void orders_make_parts(struct acme_orders *orders)
{
    const struct acme_orders_options *options = &orders->options;
    const struct acme_order_options order = {
        .loop = options->loop, .spawner = options->spawner, .commands = options->commands};
    const struct acme_readiness_options readiness = {.loop = options->loop,
                                                     .spawner = options->spawner,
                                                     .host = orders_take_readiness,
                                                     .done = orders_readiness_done,
                                                     .context = orders};

    orders->readiness = acme_readiness_new(&readiness);
    for (size_t i = 0; i < ACME_ORDERS_AT_ONCE; i++)
        orders->slots[i] = acme_order_new(&order, orders_take_end, orders);
    orders->write = job_new(options->loop, orders_write_book, orders_book_written, orders);
    uv_async_init(options->loop, &orders->wake, orders_turn);
    uv_timer_init(options->loop, &orders->timer);
    orders->sweep = job_new(options->loop, orders_sweep, orders_swept, orders);
    uv_timer_init(options->loop, &orders->sweep_timer);
    orders->wake.data = orders->timer.data = orders->sweep_timer.data = orders;
    uv_timer_start(&orders->sweep_timer, orders_on_sweep_timer, 0, ACME_SWEEP_EVERY_MS);
}

struct acme_orders *acme_orders_new(const struct acme_orders_options *options)
{
    struct acme_plan_options plan;
    struct acme_orders *orders;

    if (!options->commands)
        return NULL;
    orders = memory_alloc(sizeof(*orders));
    *orders = (struct acme_orders){.options = *options};
    pthread_mutex_init(&orders->lock, NULL);
    plan = orders_plan_options(options);
    orders->plan = acme_plan_new(&plan);
    orders_set_hosts(orders);
    orders_read_book(orders);
    orders_make_parts(orders);
    acme_orders_look(orders);
    return orders;
}

void acme_orders_set_config(struct acme_orders *orders)
{
    struct acme_plan_options plan;

    if (!orders)
        return;
    plan = orders_plan_options(&orders->options);
    pthread_mutex_lock(&orders->lock);
    acme_plan_set_options(orders->plan, &plan);
    orders_set_hosts(orders);
    pthread_mutex_unlock(&orders->lock);
    orders->is_book_changed = true;
    orders_begin_sweep(orders);
    acme_orders_look(orders);
}

/* Whether a certificate lies where those that were ordered are put. */
static bool orders_certificate_is_ours(const struct acme_orders *orders,
                                       const struct certificate *certificate)
{
    const char *directory = acme_commands_certificates(orders->options.commands);
    const char *path = certificate_path(certificate);
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

void acme_orders_see(struct acme_orders *orders, const char *name, const struct cert_state *state)
{
    const struct certificate *certificate = state->certificate;
    bool is_ours;
    size_t host;

    if (!orders)
        return;
    is_ours = certificate && orders_certificate_is_ours(orders, certificate);
    if (is_ours && !acme_commands_is_current(orders->options.commands, name))
        certificate = NULL;
    pthread_mutex_lock(&orders->lock);
    host = acme_plan_find(orders->plan, name);
    if (host < acme_plan_count(orders->plan))
        acme_plan_see(
            orders->plan, host, certificate ? certificate_not_before_unix_s(certificate) : 0,
            certificate ? certificate_not_after_unix_s(certificate) : 0, certificate && !is_ours);
    pthread_mutex_unlock(&orders->lock);
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
    const struct acme_host *it;
    size_t host;
    int result = -1;

    if (!orders)
        return -1;
    pthread_mutex_lock(&orders->lock);
    host = acme_plan_find(orders->plan, name);
    if (host < acme_plan_count(orders->plan)) {
        it = acme_plan_host(orders->plan, host);
        *ret_info = (struct acme_host_info){
            .state = acme_plan_state(orders->plan, host, orders_now(orders)),
            .not_after_unix_s = it->not_after_unix_s,
            .next_unix_s = it->begin_unix_s};
        snprintf(ret_info->reason, sizeof(ret_info->reason), "%s", it->reason ? it->reason : "");
        result = 0;
    }
    pthread_mutex_unlock(&orders->lock);
    return result;
}

void acme_orders_stop(struct acme_orders *orders)
{
    if (!orders)
        return;
    pthread_mutex_lock(&orders->lock);
    orders->is_stopped = true;
    pthread_mutex_unlock(&orders->lock);
    uv_timer_stop(&orders->timer);
    uv_timer_stop(&orders->sweep_timer);
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
    acme_plan_free(orders->plan);
    job_free(orders->write);
    job_free(orders->sweep);
    config_unref(orders->swept);
    free(orders->book);
    pthread_mutex_destroy(&orders->lock);
    free(orders);
}
