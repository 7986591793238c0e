/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_scan.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/main/cert_scan_log.h"
#include "daemon/main/cert_states.h"
#include "daemon/main/job.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"

struct cert_scan {
    struct cert_scan_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below, up to the thread's own */
    pthread_cond_t changed;
    bool is_held, is_stopped, is_look_wanted;
    bool has_ended;      /* a pass over all hosts */
    struct config *next; /* to be scanned; one reference each, or NULL */
    struct cert_store *next_store;

    /* What the thread alone changes, the states with the mutex held. */
    struct cert_states *states; /* NULL: there was no configuration yet */
    struct cert_store *store;   /* of their configuration; one reference */
    uint64_t all_at_ms;         /* when all hosts are to be looked at again */
};

enum pass_kind {
    PASS_CONFIG,  /* all hosts of a configuration; every fault is logged */
    PASS_ALL,     /* all hosts; what has changed is logged */
    PASS_CHANGED, /* hosts whose files have changed */
};

/* One pass, for the thread alone. */
struct scan_pass {
    enum pass_kind kind;
    struct config *config; /* that of the states */
    struct cert_scan_log log;
    size_t *fetchable; /* domains that have become so */
    size_t n_fetchable, fetchable_size;
    uint64_t slice_end_ms;
};

static void pass_add_fetchable(struct scan_pass *pass, size_t domain)
{
    if (pass->n_fetchable == pass->fetchable_size) {
        pass->fetchable_size = pass->fetchable_size * 2 + 64;
        pass->fetchable =
            memory_resize(pass->fetchable, pass->fetchable_size, sizeof(*pass->fetchable));
    }
    pass->fetchable[pass->n_fetchable++] = domain;
}

/* Of a certificate that is yet to be ordered, whoever orders tells. */
static bool pass_awaits(const struct scan_pass *pass, const struct cert_state *state)
{
    return pass->config->acme && (state->findings & finding_bit(FINDING_CERTIFICATE_MISSING)) != 0;
}

/* Whether a fault is for this pass to log: of a host that was asked for, whoever refreshes the
 * store has told why its files will not do. */
static bool pass_logs_fault(const struct scan_pass *pass, const struct cert_state *state,
                            const struct cert_news *news)
{
    if (!news->is_wrong || pass_awaits(pass, state))
        return false;
    if (pass->kind == PASS_CONFIG)
        return true;
    return state->is_remembered ? state->certificate && news->is_changed
                                : news->is_changed || news->has_new_files;
}

static void scan_domain(struct cert_scan *scan, struct scan_pass *pass, size_t index)
{
    const struct domain *domain = &pass->config->domains[index];
    char host[POLICY_HOST_SIZE];
    struct cert_state state;
    struct cert_news news;
    uint32_t mark;

    dns_policy_host_render(domain->name, host);
    mark =
        cert_store_mark(scan->store, host); /* before the look: a later change is seen next time */
    if (pass->kind == PASS_CHANGED && !cert_states_is_due(scan->states, index, mark))
        return;
    cert_store_check_in_use(scan->store, host, &state);
    if (scan->options.seen)
        scan->options.seen(scan->options.context, host, &state);
    pthread_mutex_lock(&scan->mutex);
    news = cert_states_take(scan->states, index, mark, &state);
    pthread_mutex_unlock(&scan->mutex);
    if (pass_logs_fault(pass, &state, &news))
        cert_scan_log_fault(&pass->log, host, &state);
    if (news.is_fetchable)
        pass_add_fetchable(pass, index);
    if (news.is_fetchable && news.was_unfetchable && state.certificate)
        cert_scan_log_arrival(&pass->log, pass->config, domain, state.certificate);
    certificate_unref(state.certificate);
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
static bool scan_domains(struct cert_scan *scan, struct scan_pass *pass)
{
    const struct config *config = pass->config;
    struct err err;

    if (pass->kind != PASS_CHANGED && cert_store_check_access(scan->store, SIZE_MAX, &err) != 0)
        cert_scan_log_access(&err);
    pass->slice_end_ms = scan_now_ms(scan) + scan->options.slice_ms;
    for (size_t i = 0; i < config->n_domains; i++) {
        if (!scan_may_go_on(scan, pass))
            return false;
        if (config->domains[i].document)
            scan_domain(scan, pass, i);
    }
    return true;
}

static void set_scan_flag(struct cert_scan *scan, bool *flag, bool value)
{
    pthread_mutex_lock(&scan->mutex);
    *flag = value;
    pthread_cond_signal(&scan->changed);
    pthread_mutex_unlock(&scan->mutex);
}

static void scan_once(struct cert_scan *scan, enum pass_kind kind)
{
    struct scan_pass pass = {.kind = kind, .config = cert_states_config(scan->states)};
    struct cert_counts counts;

    if (scan_domains(scan, &pass)) {
        if (kind != PASS_CHANGED) {
            scan->all_at_ms = scan_now_ms(scan) + scan->options.all_ms;
            set_scan_flag(scan, &scan->has_ended, true);
        }
        if (pass.n_fetchable > 0 && scan->options.fetchable)
            scan->options.fetchable(scan->options.context, pass.config, pass.fetchable,
                                    pass.n_fetchable);
        cert_states_count(scan->states, &counts);
        scan->options.done(scan->options.context, &counts);
        cert_scan_log_end(&pass.log);
    }
    free(pass.fetchable);
}

/* The states of the configuration before live on in those of the next. */
static void scan_take_config(struct cert_scan *scan, struct config *config,
                             struct cert_store *store)
{
    struct cert_states *before = scan->states, *states = cert_states_new(config, before);

    pthread_mutex_lock(&scan->mutex);
    scan->states = states;
    pthread_mutex_unlock(&scan->mutex);
    cert_states_free(before);
    config_unref(config);
    cert_store_unref(scan->store);
    scan->store = store;
}

/* Waits for the next pass. Returns false at the end. */
static bool scan_wait(struct cert_scan *scan, enum pass_kind *ret_kind)
{
    struct config *config;
    struct cert_store *store;
    bool is_stopped;

    pthread_mutex_lock(&scan->mutex);
    while (!scan->is_stopped && ((!scan->next && !scan->is_look_wanted) || scan->is_held))
        pthread_cond_wait(&scan->changed, &scan->mutex);
    is_stopped = scan->is_stopped;
    config = is_stopped ? NULL : scan->next;
    store = scan->next_store;
    if (!is_stopped) {
        scan->next = NULL;
        scan->next_store = NULL;
        scan->is_look_wanted = false;
    }
    pthread_mutex_unlock(&scan->mutex);
    if (config)
        scan_take_config(scan, config, store);
    if (config)
        *ret_kind = PASS_CONFIG;
    else
        *ret_kind = scan_now_ms(scan) >= scan->all_at_ms ? PASS_ALL : PASS_CHANGED;
    return !is_stopped;
}

static void *scan_run(void *context)
{
    struct cert_scan *scan = context;
    enum pass_kind kind;

    job_lower_priority();
    while (scan_wait(scan, &kind))
        if (scan->states)
            scan_once(scan, kind);
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
    cert_scan_log_no_thread();
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
    cert_states_free(scan->states);
    cert_store_unref(scan->store);
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

bool cert_scan_was_fetchable(struct cert_scan *scan, const struct config *config, size_t domain)
{
    bool result;

    if (!scan)
        return false;
    pthread_mutex_lock(&scan->mutex);
    result = scan->states && cert_states_config(scan->states) == config &&
             cert_states_was_fetchable(scan->states, domain);
    pthread_mutex_unlock(&scan->mutex);
    return result;
}

bool cert_scan_has_ended(struct cert_scan *scan)
{
    bool result;

    if (!scan)
        return false;
    pthread_mutex_lock(&scan->mutex);
    result = scan->has_ended;
    pthread_mutex_unlock(&scan->mutex);
    return result;
}

int cert_scan_find(struct cert_scan *scan, const struct config *config, size_t domain,
                   struct cert_view *ret_view)
{
    int result = -1;

    if (!scan)
        return -1;
    pthread_mutex_lock(&scan->mutex);
    if (scan->states && cert_states_config(scan->states) == config)
        result = cert_states_view(scan->states, domain, ret_view);
    pthread_mutex_unlock(&scan->mutex);
    return result;
}

void cert_scan_look(struct cert_scan *scan)
{
    if (scan)
        set_scan_flag(scan, &scan->is_look_wanted, true);
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
