/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_hosts.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/acme/acme_book.h"
#include "daemon/acme/acme_commands.h"
#include "daemon/tls/cert_install.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"

struct acme_hosts {
    struct acme_hosts_options options;
    struct config *config; /* one reference */
    pthread_mutex_t lock;  /* of the rest */
    struct acme_plan *plan;
    char hold_reason[ACME_REASON_MAX]; /* of the last hold */
};

enum {
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
};

/* A wait in whole minutes or hours, as a person wants it: 22 hours, and not 79093 seconds. */
static const char *hosts_print_wait(int64_t wait_s, char buffer[static WHEN_SIZE])
{
    int64_t unit_s = wait_s >= 2 * HOUR_S ? HOUR_S : wait_s >= 2 * MINUTE_S ? MINUTE_S : 1;

    return when_duration((uint64_t)((wait_s + unit_s - 1) / unit_s * unit_s), buffer);
}

static int64_t hosts_now(const struct acme_hosts *hosts)
{
    return hosts->options.clock->unix_s(hosts->options.clock);
}

static struct acme_plan_options hosts_plan_options(const struct acme_hosts *hosts)
{
    const struct acme_settings *acme = hosts->config->acme;

    return (struct acme_plan_options){.orders_per_hour = acme->orders_per_hour,
                                      .renew_before_s = acme->renew_before_s,
                                      .seed = hosts->options.seed};
}

/* With the lock held. */
static void hosts_set_names(struct acme_hosts *hosts)
{
    const struct config *config = hosts->config;
    char(*texts)[POLICY_HOST_SIZE] = memory_alloc((config->n_domains + 1) * sizeof(*texts));
    const char **names = memory_alloc((config->n_domains + 1) * sizeof(*names));
    size_t n = 0;

    for (size_t i = 0; i < config->n_domains; i++) {
        if (!config->domains[i].document)
            continue;
        dns_policy_host_render(config->domains[i].name, texts[n]);
        names[n] = texts[n];
        n++;
    }
    acme_plan_set_hosts(hosts->plan, names, n, hosts_now(hosts));
    free(names);
    free(texts);
}

struct acme_hosts *acme_hosts_new(const struct acme_hosts_options *options, struct config *config)
{
    struct acme_hosts *hosts = memory_alloc(sizeof(*hosts));
    struct acme_plan_options plan;

    *hosts = (struct acme_hosts){.options = *options, .config = config_ref(config)};
    pthread_mutex_init(&hosts->lock, NULL);
    plan = hosts_plan_options(hosts);
    hosts->plan = acme_plan_new(&plan);
    hosts_set_names(hosts);
    return hosts;
}

void acme_hosts_free(struct acme_hosts *hosts)
{
    if (!hosts)
        return;
    acme_plan_free(hosts->plan);
    config_unref(hosts->config);
    pthread_mutex_destroy(&hosts->lock);
    free(hosts);
}

static bool text_is_same(const char *was, const char *is)
{
    return (!was && !is) || (was && is && strcmp(was, is) == 0);
}

static bool domain_is_same(const struct domain *was, const struct domain *is)
{
    return was && was->document && strcmp(was->document->id, is->document->id) == 0 &&
           strcmp(was->zone, is->zone) == 0 && was->delegated == is->delegated;
}

static bool config_has_same_policy_host(const struct config *was, const struct config *is)
{
    if (!text_is_same(was->policy_host_name, is->policy_host_name) ||
        was->n_policy_host_addresses != is->n_policy_host_addresses)
        return false;
    for (size_t i = 0; i < is->n_policy_host_addresses; i++)
        if (strcmp(was->policy_host_addresses[i], is->policy_host_addresses[i]) != 0)
            return false;
    return true;
}

/* With the lock held. Returns how many hosts the configuration changes; they are tried at once. */
static size_t hosts_touch_changed(struct acme_hosts *hosts, const struct config *was)
{
    const struct config *is = hosts->config;
    char name[POLICY_HOST_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < is->n_domains; i++) {
        const struct domain *domain = &is->domains[i];

        if (!domain->document ||
            domain_is_same(config_find_domain(was, slice_of(domain->name)), domain))
            continue;
        dns_policy_host_render(domain->name, name);
        acme_plan_touch(hosts->plan, acme_plan_find(hosts->plan, name), hosts_now(hosts));
        n++;
    }
    return n;
}

void acme_hosts_set_config(struct acme_hosts *hosts, struct config *config)
{
    struct config *was = hosts->config;
    struct acme_plan_options plan;
    size_t n_before, n_changed;

    hosts->config = config_ref(config);
    plan = hosts_plan_options(hosts);
    pthread_mutex_lock(&hosts->lock);
    n_before = acme_plan_count(hosts->plan);
    acme_plan_set_options(hosts->plan, &plan);
    hosts_set_names(hosts);
    n_changed = hosts_touch_changed(hosts, was);
    if ((n_changed == 0 && acme_plan_count(hosts->plan) == n_before) ||
        !config_has_same_policy_host(was, config))
        for (size_t i = 0; i < acme_plan_count(hosts->plan); i++)
            acme_plan_touch(hosts->plan, i, hosts_now(hosts));
    pthread_mutex_unlock(&hosts->lock);
    config_unref(was);
}

/* Whether a certificate lies where those that were ordered are put. */
static bool hosts_ordered_certificate(const struct acme_hosts *hosts,
                                      const struct certificate *certificate)
{
    const char *directory = acme_commands_certificates(hosts->options.commands);
    const char *path = certificate_path(certificate);
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

void acme_hosts_see(struct acme_hosts *hosts, const char *name, const struct cert_state *state)
{
    const struct certificate *certificate = state->certificate;
    bool is_ours = certificate && hosts_ordered_certificate(hosts, certificate);
    size_t host;

    if (is_ours && !acme_commands_is_current(hosts->options.commands, name))
        certificate = NULL;
    pthread_mutex_lock(&hosts->lock);
    host = acme_plan_find(hosts->plan, name);
    if (host < acme_plan_count(hosts->plan))
        acme_plan_see(
            hosts->plan, host, certificate ? certificate_not_before_unix_s(certificate) : 0,
            certificate ? certificate_not_after_unix_s(certificate) : 0, certificate && !is_ours);
    pthread_mutex_unlock(&hosts->lock);
}

/* With the lock held. Of a host that could be tried now, as far as it depends on the host. */
static void hosts_explain_turn(const struct acme_hosts *hosts, const struct acme_host *host,
                               struct acme_host_info *ret_info)
{
    int64_t full_unix_s = acme_plan_full_until(hosts->plan, hosts_now(hosts));
    uint32_t rate = hosts->config->acme->orders_per_hour;

    if (full_unix_s > 0) {
        ret_info->next_unix_s = full_unix_s;
        snprintf(ret_info->reason, sizeof(ret_info->reason),
                 "it waits for its turn: acme.orders_per_hour allows %" PRIu32 " order%s an hour",
                 rate, rate == 1 ? "" : "s");
    } else if (host->not_after_unix_s == 0 &&
               !acme_commands_is_current(hosts->options.commands, host->name)) {
        snprintf(ret_info->reason, sizeof(ret_info->reason),
                 "its certificate is of another authority than acme.directory says, and is ordered "
                 "anew");
    }
}

/* With the lock held. Whoever waits for the end of a hold waits for what has caused it. */
static void hosts_print_info(const struct acme_hosts *hosts, size_t host,
                             struct acme_host_info *ret_info)
{
    const struct acme_host *it = acme_plan_host(hosts->plan, host);
    int64_t now_unix_s = hosts_now(hosts), held_unix_s = acme_plan_held_until(hosts->plan);
    bool is_held = held_unix_s > now_unix_s && it->begin_unix_s < held_unix_s && !it->is_foreign;
    bool is_next = it->is_seen && !it->is_foreign && it->begin_unix_s <= now_unix_s;
    const char *reason = it->reason ? it->reason : is_held ? hosts->hold_reason : "";

    *ret_info = (struct acme_host_info){.state = acme_plan_state(hosts->plan, host, now_unix_s),
                                        .not_after_unix_s = it->not_after_unix_s,
                                        .next_unix_s = is_held ? held_unix_s : it->begin_unix_s};
    snprintf(ret_info->reason, sizeof(ret_info->reason), "%s", reason);
    if (is_next && !is_held && !it->reason)
        hosts_explain_turn(hosts, it, ret_info);
}

int acme_hosts_find(struct acme_hosts *hosts, const char *name, struct acme_host_info *ret_info)
{
    size_t host;
    int result = -1;

    pthread_mutex_lock(&hosts->lock);
    host = acme_plan_find(hosts->plan, name);
    if (host < acme_plan_count(hosts->plan)) {
        hosts_print_info(hosts, host, ret_info);
        result = 0;
    }
    pthread_mutex_unlock(&hosts->lock);
    return result;
}

void acme_hosts_count(struct acme_hosts *hosts)
{
    struct acme_stats *stats = hosts->options.stats;
    uint64_t n_hosts[ACME_STATE_COUNT] = {0};
    int64_t now_unix_s = hosts_now(hosts), earliest_unix_s = 0, held_until_unix_s;

    pthread_mutex_lock(&hosts->lock);
    for (size_t i = 0; i < acme_plan_count(hosts->plan); i++) {
        const struct acme_host *host = acme_plan_host(hosts->plan, i);
        int64_t not_after_unix_s = host->is_foreign ? 0 : host->not_after_unix_s;

        n_hosts[acme_plan_state(hosts->plan, i, now_unix_s)]++;
        if (not_after_unix_s > 0 && (earliest_unix_s == 0 || not_after_unix_s < earliest_unix_s))
            earliest_unix_s = not_after_unix_s;
    }
    held_until_unix_s = acme_plan_held_until(hosts->plan);
    pthread_mutex_unlock(&hosts->lock);
    for (size_t i = 0; i < ACME_STATE_COUNT; i++)
        stats->n_hosts[i] = n_hosts[i];
    stats->earliest_expiry_unix_s = earliest_unix_s;
    stats->held_until_unix_s = held_until_unix_s > now_unix_s ? held_until_unix_s : 0;
}

size_t acme_hosts_parse_book(struct acme_hosts *hosts, struct slice text)
{
    size_t n_bad;

    pthread_mutex_lock(&hosts->lock);
    n_bad = acme_book_parse(text, hosts->plan, hosts_now(hosts));
    pthread_mutex_unlock(&hosts->lock);
    return n_bad;
}

void acme_hosts_print_book(struct acme_hosts *hosts, FILE *out)
{
    pthread_mutex_lock(&hosts->lock);
    acme_book_print(hosts->plan, hosts_now(hosts), out);
    pthread_mutex_unlock(&hosts->lock);
}

size_t acme_hosts_pick(struct acme_hosts *hosts, size_t max, char (*ret_names)[POLICY_HOST_SIZE],
                       int64_t *ret_wait_s)
{
    size_t *picked = memory_alloc((max + 1) * sizeof(*picked)), n;

    pthread_mutex_lock(&hosts->lock);
    n = acme_plan_pick(hosts->plan, hosts_now(hosts), max, picked, ret_wait_s);
    for (size_t i = 0; i < n; i++)
        snprintf(ret_names[i], sizeof(ret_names[i]), "%s",
                 acme_plan_host(hosts->plan, picked[i])->name);
    pthread_mutex_unlock(&hosts->lock);
    free(picked);
    return n;
}

bool acme_hosts_begin_order(struct acme_hosts *hosts, const char *name)
{
    bool is_there;

    pthread_mutex_lock(&hosts->lock);
    is_there = acme_plan_find(hosts->plan, name) < acme_plan_count(hosts->plan);
    if (is_there)
        acme_plan_order(hosts->plan, hosts_now(hosts));
    pthread_mutex_unlock(&hosts->lock);
    return is_there;
}

/* Who has just got a certificate whose time is over, or has not begun, has a wrong clock. */
static void hosts_print_untimely(const struct cert_install_dates *dates, int64_t now_unix_s,
                                 char reason[static ACME_REASON_MAX])
{
    char begin[WHEN_SIZE], end[WHEN_SIZE], now[WHEN_SIZE];

    snprintf(reason, ACME_REASON_MAX,
             "this machine's clock is wrong: it says %s, but the certificate that was issued just "
             "now is valid from %s to %s; set the clock",
             when_date(now_unix_s, now), when_date(dates->not_before_unix_s, begin),
             when_date(dates->not_after_unix_s, end));
}

void acme_hosts_succeed(struct acme_hosts *hosts, const char *name,
                        const struct cert_install_dates *dates, enum acme_arrival arrival)
{
    char date[WHEN_SIZE], reason[ACME_REASON_MAX];
    int64_t now_unix_s = hosts_now(hosts);
    bool is_timely = true;
    size_t host;

    hosts_print_untimely(dates, now_unix_s, reason);
    pthread_mutex_lock(&hosts->lock);
    host = acme_plan_find(hosts->plan, name);
    if (host < acme_plan_count(hosts->plan))
        is_timely = acme_plan_succeed(hosts->plan, host, dates->not_before_unix_s,
                                      dates->not_after_unix_s, now_unix_s) ||
                    arrival == ACME_OF_EARLIER_ORDER;
    if (!is_timely)
        acme_plan_fail(hosts->plan, host, ACME_UNTIMELY, reason, now_unix_s);
    pthread_mutex_unlock(&hosts->lock);
    log_line(LOG_INFO, "acme: %s: a new certificate is installed, valid until %s", name,
             when_date(dates->not_after_unix_s, date));
    if (!is_timely)
        log_line(LOG_ERROR, "acme: %s: %s", name, reason);
}

void acme_hosts_fail(struct acme_hosts *hosts, const char *name, enum acme_obstacle obstacle,
                     const char *reason, int64_t retry_unix_s)
{
    size_t host = acme_plan_find(hosts->plan, name);
    enum log_level level = obstacle == ACME_STOPPED ? LOG_ERROR : LOG_WARNING;
    const struct acme_host *it;
    char wait[WHEN_SIZE];
    bool is_known;
    int64_t now_unix_s = hosts_now(hosts), wait_s;

    if (host == acme_plan_count(hosts->plan))
        return;
    it = acme_plan_host(hosts->plan, host);
    is_known = it->obstacle == obstacle && it->reason && strcmp(it->reason, reason) == 0;
    pthread_mutex_lock(&hosts->lock);
    acme_plan_fail(hosts->plan, host, obstacle, reason, now_unix_s);
    if (retry_unix_s > now_unix_s)
        acme_plan_postpone(hosts->plan, host, retry_unix_s, now_unix_s);
    pthread_mutex_unlock(&hosts->lock);
    if (obstacle == ACME_NOT_READY && is_known)
        return;
    wait_s = it->next_unix_s - now_unix_s;
    log_line(level, "acme: %s: %s: %s; it is tried again in %s%s", name,
             obstacle == ACME_NOT_READY ? "no certificate can be ordered yet"
                                        : "no certificate was issued",
             reason, hosts_print_wait(wait_s, wait),
             obstacle == ACME_NOT_READY ? ", and after mta-stsd --reload" : "");
}

void acme_hosts_put_back(struct acme_hosts *hosts, const char *name)
{
    size_t host;

    pthread_mutex_lock(&hosts->lock);
    host = acme_plan_find(hosts->plan, name);
    if (host < acme_plan_count(hosts->plan))
        acme_plan_put_back(hosts->plan, host);
    pthread_mutex_unlock(&hosts->lock);
}

static void hosts_hold(struct acme_hosts *hosts,
                       int64_t (*hold)(struct acme_plan *plan, int64_t now_unix_s),
                       const char *reason, int64_t until_unix_s)
{
    int64_t now_unix_s = hosts_now(hosts), wait_s;
    bool was_held = acme_plan_held_until(hosts->plan) > now_unix_s;
    char wait[WHEN_SIZE];

    pthread_mutex_lock(&hosts->lock);
    wait_s = until_unix_s > now_unix_s ? acme_plan_hold_until(hosts->plan, until_unix_s, now_unix_s)
                                       : hold(hosts->plan, now_unix_s);
    if (!was_held)
        snprintf(hosts->hold_reason, sizeof(hosts->hold_reason), "%s", reason);
    pthread_mutex_unlock(&hosts->lock);
    if (!was_held)
        log_line(LOG_WARNING, "acme: no certificates are ordered for %s: %s",
                 hosts_print_wait(wait_s, wait), reason);
}

void acme_hosts_hold(struct acme_hosts *hosts, const char *reason)
{
    hosts_hold(hosts, acme_plan_hold, reason, 0);
}

void acme_hosts_hold_until(struct acme_hosts *hosts, const char *reason, int64_t until_unix_s)
{
    hosts_hold(hosts, acme_plan_hold, reason, until_unix_s);
}

void acme_hosts_wait(struct acme_hosts *hosts, const char *reason)
{
    hosts_hold(hosts, acme_plan_wait, reason, 0);
}
