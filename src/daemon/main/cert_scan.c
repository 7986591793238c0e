/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_scan.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/main/job.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

enum {
    LOGGED_MAX = 20, /* certificates named in one scan; 50,000 lines would tell less */
};

struct cert_scan {
    struct cert_scan_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t changed;
    bool is_held, is_stopped;
    struct config *next; /* to be scanned; one reference each, or NULL */
    struct cert_store *next_store;
};

/* What the thread alone touches. */
struct scan_pass {
    struct config *config;
    struct cert_store *store;
    struct cert_counts counts;
    size_t n_wrong;
    uint64_t slice_end_ms;
};

static enum finding gravest_finding(finding_set findings)
{
    for (int i = FINDING_CERTIFICATE_UNREADABLE; i <= FINDING_CERTIFICATE_CHAIN; i++)
        if (findings & finding_bit((enum finding)i))
            return (enum finding)i;
    return FINDING_NONE;
}

static void count_expiry(struct cert_counts *counts, const struct certificate *certificate)
{
    int64_t not_after = certificate ? certificate_not_after_unix_s(certificate) : 0;

    if (not_after != 0 &&
        (counts->earliest_expiry_unix_s == 0 || not_after < counts->earliest_expiry_unix_s))
        counts->earliest_expiry_unix_s = not_after;
}

static void scan_host(struct scan_pass *pass, const char *host)
{
    struct cert_state state;

    cert_store_check(pass->store, host, &state);
    count_expiry(&pass->counts, state.certificate);
    certificate_unref(state.certificate);
    pass->counts.n_hosts[gravest_finding(state.findings)]++;
    if (state.findings != 0 && pass->n_wrong++ < LOGGED_MAX)
        log_line(LOG_WARNING, "%s: %s", host, state.message);
}

static uint64_t scan_now_ms(const struct cert_scan *scan)
{
    return scan->options.clock->monotonic_ms(scan->options.clock);
}

/* Between two hosts. Returns whether the scan goes on, in this slice or after a pause. */
static bool scan_may_go_on(struct cert_scan *scan, struct scan_pass *pass)
{
    bool is_stopped;

    pthread_mutex_lock(&scan->mutex);
    if (scan->is_held || scan_now_ms(scan) >= pass->slice_end_ms) {
        /* The condition goes by the machine's clock, whatever the slices go by. */
        struct timespec end =
            clock_timespec(clock_system.monotonic_ms(&clock_system) + scan->options.pause_ms);

        while (!scan->is_stopped &&
               pthread_cond_timedwait(&scan->changed, &scan->mutex, &end) != ETIMEDOUT)
            ;
        while (!scan->is_stopped && scan->is_held)
            pthread_cond_wait(&scan->changed, &scan->mutex);
        pass->slice_end_ms = scan_now_ms(scan) + scan->options.slice_ms;
    }
    is_stopped = scan->is_stopped;
    pthread_mutex_unlock(&scan->mutex);
    return !is_stopped;
}

/* Returns whether all hosts were looked at. */
static bool scan_hosts(struct cert_scan *scan, struct scan_pass *pass)
{
    const struct config *config = pass->config;
    struct err err;

    if (config->n_sources == 0)
        return true;
    if (cert_store_check_access(pass->store, &err) != 0)
        log_line(LOG_WARNING, "certificates: %s", err.msg);
    if (config->policy_host_name)
        scan_host(pass, config->policy_host_name);
    pass->slice_end_ms = scan_now_ms(scan) + scan->options.slice_ms;
    for (size_t i = 0; i < config->n_domains; i++) {
        char host[POLICY_HOST_SIZE];

        if (!scan_may_go_on(scan, pass))
            return false;
        if (config->domains[i].document)
            scan_host(pass, dns_policy_host_render(config->domains[i].name, host));
    }
    return true;
}

static void scan_once(struct cert_scan *scan, struct scan_pass *pass)
{
    if (scan_hosts(scan, pass)) {
        scan->options.done(scan->options.context, &pass->counts);
        if (pass->n_wrong > LOGGED_MAX)
            log_line(LOG_WARNING,
                     "%zu certificates are missing or wrong in all; --test-config names each",
                     pass->n_wrong);
    }
    config_unref(pass->config);
    cert_store_unref(pass->store);
}

/* Waits for the next scan. Returns false at the end. */
static bool take_next_scan(struct cert_scan *scan, struct scan_pass *ret_pass)
{
    bool is_stopped;

    pthread_mutex_lock(&scan->mutex);
    while (!scan->is_stopped && (!scan->next || scan->is_held))
        pthread_cond_wait(&scan->changed, &scan->mutex);
    is_stopped = scan->is_stopped;
    if (!is_stopped) {
        *ret_pass = (struct scan_pass){.config = scan->next, .store = scan->next_store};
        scan->next = NULL;
        scan->next_store = NULL;
    }
    pthread_mutex_unlock(&scan->mutex);
    return !is_stopped;
}

static void *scan_run(void *context)
{
    struct cert_scan *scan = context;
    struct scan_pass pass;

    job_lower_priority();
    while (take_next_scan(scan, &pass))
        scan_once(scan, &pass);
    return NULL;
}

static int start_scan_thread(struct cert_scan *scan)
{
    sigset_t all, before;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&scan->thread, NULL, scan_run, scan);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

struct cert_scan *cert_scan_new(const struct cert_scan_options *options)
{
    struct cert_scan *scan = memory_alloc(sizeof(*scan));
    pthread_condattr_t attributes;

    *scan = (struct cert_scan){.options = *options};
    pthread_mutex_init(&scan->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scan->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (start_scan_thread(scan) == 0)
        return scan;
    log_line(LOG_WARNING, "certificates are not looked at in the background: no thread");
    free(scan);
    return NULL;
}

void cert_scan_free(struct cert_scan *scan)
{
    if (!scan)
        return;
    cert_scan_stop(scan);
    pthread_join(scan->thread, NULL);
    config_unref(scan->next);
    cert_store_unref(scan->next_store);
    pthread_cond_destroy(&scan->changed);
    pthread_mutex_destroy(&scan->mutex);
    free(scan);
}

void cert_scan_start(struct cert_scan *scan, struct config *config, struct cert_store *store)
{
    if (!scan)
        return;
    pthread_mutex_lock(&scan->mutex);
    config_unref(scan->next);
    cert_store_unref(scan->next_store);
    scan->next = config_ref(config);
    scan->next_store = cert_store_ref(store);
    pthread_cond_signal(&scan->changed);
    pthread_mutex_unlock(&scan->mutex);
}

static void set_scan_flag(struct cert_scan *scan, bool *flag, bool value)
{
    pthread_mutex_lock(&scan->mutex);
    *flag = value;
    pthread_cond_signal(&scan->changed);
    pthread_mutex_unlock(&scan->mutex);
}

void cert_scan_hold(struct cert_scan *scan)
{
    if (scan)
        set_scan_flag(scan, &scan->is_held, true);
}

void cert_scan_resume(struct cert_scan *scan)
{
    if (scan)
        set_scan_flag(scan, &scan->is_held, false);
}

void cert_scan_stop(struct cert_scan *scan)
{
    if (scan)
        set_scan_flag(scan, &scan->is_stopped, true);
}
