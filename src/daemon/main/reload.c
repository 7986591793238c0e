/* SPDX-License-Identifier: MIT */
#include "daemon/main/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>
#include <uv.h>

#include "daemon/confine/sandbox.h"
#include "daemon/main/job.h"
#include "daemon/main/reload_review.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/state/ledger.h"

#define RELOAD_ENDING "the daemon is ending\n"

enum {
    LOADS_MAX = 2,
};

enum reload_state {
    RELOAD_IDLE,
    RELOAD_IN_TRIAL,
    RELOAD_LOADING,
    RELOAD_HANGING, /* the load has missed its deadline, and has been answered */
    RELOAD_SWAPPING,
};

struct reload_waiter {
    reload_done *done;
    void *context;
    struct reload_waiter *next;
};

/* What a load makes: the job's until it is done. */
struct reload_load {
    struct config *current; /* what served when it began; one reference each */
    struct cert_store *current_store;
    enum reload_force force;
    struct config *next; /* NULL: refused */
    struct cert_store *next_store;
    enum reload_outcome outcome;
    char *text;
    size_t findings_len; /* of the text, before the difference */
};

struct reload {
    struct reload_options options;
    enum reload_state state;
    bool is_stopped;
    struct job *job;
    uv_timer_t deadline;
    struct reload_waiter *waiting;     /* for the next reload */
    struct reload_waiter *waiting_dry; /* for the next dry run */
    struct reload_waiter *asking;      /* for the outcome of this one */
    bool is_wanted;                    /* the next reload, maybe by nobody who waits */
    enum reload_force force;           /* of the next reload */
    struct reload_load load;
};

static void answer_waiters(struct reload_waiter **waiters, enum reload_outcome outcome,
                           const char *text)
{
    struct reload_waiter *waiter, *next;

    LL_FOREACH_SAFE (*waiters, waiter, next) {
        LL_DELETE(*waiters, waiter);
        waiter->done(waiter->context, outcome, text);
        free(waiter);
    }
}

static bool has_same_sources(const struct config *a, const struct config *b)
{
    if (a->n_sources != b->n_sources)
        return false;
    for (size_t i = 0; i < a->n_sources; i++)
        if (strcmp(a->sources[i].chain, b->sources[i].chain) != 0 ||
            strcmp(a->sources[i].key, b->sources[i].key) != 0)
            return false;
    return true;
}

static void print_reload_findings(const struct reload *reload, struct diag *diag, FILE *out)
{
    diag_print(diag, LEVEL_WARNING, out);
    if (diag_has(diag, FINDING_FILE_UNREADABLE))
        sandbox_explain(reload->options.sandbox, out);
}

/* A file may be replaced in the midst of a load, by somebody who then asks for another reload. */
static struct config *load_settled(const struct reload *reload, struct diag **diag)
{
    const struct reload_options *options = &reload->options;
    struct config *config = NULL;

    for (int i = 0; i < LOADS_MAX && !config; i++) {
        if (i > 0 && !diag_has(*diag, FINDING_FILE_UNREADABLE))
            break;
        diag_free(*diag);
        *diag = diag_new(&config_findings);
        config = options->load(options->config_path, LOAD_SETTLED | LOAD_REGULAR, *diag);
    }
    return config;
}

/* In the thread pool: nothing here touches what serves. */
static void load_next(void *context)
{
    struct reload *reload = context;
    struct reload_load *load = &reload->load;
    struct diag *diag = diag_new(&config_findings);
    struct ledger *ledger = reload->options.read_ledger(reload->options.context);
    size_t len;
    FILE *out = open_memstream(&load->text, &len);

    load->next = load_settled(reload, &diag);
    print_reload_findings(reload, diag, out);
    fflush(out);
    load->findings_len = len;
    load->outcome =
        reload_review(&(struct reload_candidate){.current = load->current,
                                                 .next = load->next,
                                                 .n_errors = diag_count(diag, LEVEL_ERROR),
                                                 .sandbox = reload->options.sandbox,
                                                 .config_path = reload->options.config_path,
                                                 .force = load->force,
                                                 .ledger = ledger,
                                                 .now_unix_s = clock_system.unix_s(&clock_system)},
                      out);
    fclose(out);
    ledger_free(ledger);
    diag_free(diag);
    if (load->outcome != RELOAD_GOOD || load->force == RELOAD_DRY) {
        config_unref(load->next);
        load->next = NULL;
        return;
    }
    reload->options.record(reload->options.context, load->next);
    /* The same sources keep their store: what it has read is still right. */
    load->next_store = has_same_sources(load->current, load->next)
                           ? cert_store_ref(load->current_store)
                           : reload->options.make_store(reload->options.context, load->next);
}

static void discard_load(struct reload_load *load)
{
    config_unref(load->next);
    cert_store_unref(load->next_store);
    free(load->text);
    *load = (struct reload_load){0};
}

static void reload_begin(struct reload *reload);

static void reload_end(struct reload *reload, enum reload_outcome outcome, const char *text)
{
    answer_waiters(&reload->asking, outcome, text);
    reload->state = RELOAD_IDLE;
    if (reload->load.force != RELOAD_DRY)
        reload->options.end(reload->options.context, outcome, text);
    discard_load(&reload->load);
    if (reload->is_wanted || reload->waiting_dry)
        reload_begin(reload);
}

static void on_load_done(void *context)
{
    struct reload *reload = context;
    struct reload_load *load = &reload->load;

    uv_timer_stop(&reload->deadline);
    config_unref(load->current);
    cert_store_unref(load->current_store);
    if (reload->state == RELOAD_HANGING || reload->is_stopped) {
        if (!reload->is_stopped)
            log_line(LOG_WARNING, "the load that hung has ended; reloads are possible again");
        discard_load(load);
        reload->state = RELOAD_IDLE;
    } else if (load->next) {
        reload->state = RELOAD_SWAPPING;
        reload->options.swap(reload->options.context, load->next, load->next_store);
    } else {
        if (load->force != RELOAD_DRY)
            log_text(LOG_ERROR, slice_of(load->text));
        reload_end(reload, load->outcome, load->text);
    }
}

/* The job cannot be stopped: its thread hangs in the kernel. What it makes is dropped later. */
static void on_load_deadline(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    char text[512];

    snprintf(
        text, sizeof(text),
        "reload refused: '%s' was not loaded within %u s, so its storage, or that of `state:`, "
        "is slow or hangs; " RELOAD_GOES_ON,
        reload->options.config_path, reload->options.load_timeout_ms / 1000);
    log_text(LOG_ERROR, slice_of(text));
    reload->state = RELOAD_HANGING;
    reload->is_wanted = false;
    answer_waiters(&reload->asking, RELOAD_REFUSED, text);
    answer_waiters(&reload->waiting, RELOAD_REFUSED, text);
    answer_waiters(&reload->waiting_dry, RELOAD_REFUSED, text);
    if (reload->load.force != RELOAD_DRY)
        reload->options.end(reload->options.context, RELOAD_REFUSED, text);
}

static void start_load(struct reload *reload)
{
    struct reload_load *load = &reload->load;

    reload->options.find_current(reload->options.context, &load->current, &load->current_store);
    config_ref(load->current);
    cert_store_ref(load->current_store);
    reload->state = RELOAD_LOADING;
    job_start(reload->job);
    uv_timer_start(&reload->deadline, on_load_deadline, reload->options.load_timeout_ms, 0);
}

static void on_trial_done(void *context, enum trial_outcome outcome, const char *reason)
{
    struct reload *reload = context;

    if (outcome == TRIAL_FAILED) {
        char *text;

        if (asprintf(&text, "reload refused: %s; " RELOAD_GOES_ON, reason) < 0)
            memory_fail();
        if (reload->load.force != RELOAD_DRY)
            log_text(LOG_ERROR, slice_of(text));
        reload_end(reload, RELOAD_REFUSED, text);
        free(text);
        return;
    }
    if (outcome == TRIAL_NOT_MADE)
        log_line(LOG_WARNING, "the configuration is loaded without a trial: %s", reason);
    start_load(reload);
}

static void reload_take_waiters(struct reload *reload, struct reload_waiter **waiting)
{
    reload->asking = *waiting;
    *waiting = NULL;
}

/* A reload goes before a dry run, which then sees its outcome. */
static void reload_begin(struct reload *reload)
{
    reload->state = RELOAD_IN_TRIAL;
    if (reload->is_wanted) {
        reload_take_waiters(reload, &reload->waiting);
        reload->load.force = reload->force;
        reload->force = RELOAD_GUARDED;
        reload->is_wanted = false;
        reload->options.begin(reload->options.context);
    } else {
        reload_take_waiters(reload, &reload->waiting_dry);
        reload->load.force = RELOAD_DRY;
    }
    reload->options.start_trial(reload->options.context, on_trial_done, reload);
}

struct reload *reload_new(const struct reload_options *options)
{
    struct reload *reload = memory_alloc(sizeof(*reload));

    *reload = (struct reload){.options = *options};
    reload->job = job_new(options->loop, load_next, on_load_done, reload);
    uv_timer_init(options->loop, &reload->deadline);
    reload->deadline.data = reload;
    return reload;
}

void reload_free(struct reload *reload)
{
    if (!reload)
        return;
    discard_load(&reload->load);
    job_free(reload->job);
    free(reload);
}

/* Returns why no reload can be had, or NULL. */
static const char *find_obstacle(const struct reload *reload)
{
    if (reload->is_stopped)
        return RELOAD_ENDING;
    if (reload->state == RELOAD_HANGING)
        return "reload refused: the load of an earlier one still hangs; " RELOAD_GOES_ON;
    return NULL;
}

void reload_request(struct reload *reload, enum reload_force force, reload_done *done,
                    void *context)
{
    const char *obstacle = find_obstacle(reload);

    if (obstacle && !reload->is_stopped && force != RELOAD_DRY)
        log_text(LOG_ERROR, slice_of(obstacle));
    if (obstacle) {
        if (done)
            done(context, RELOAD_REFUSED, obstacle);
        return;
    }
    if (done) {
        struct reload_waiter *waiter = memory_alloc(sizeof(*waiter));

        *waiter = (struct reload_waiter){.done = done, .context = context};
        if (force == RELOAD_DRY)
            LL_PREPEND(reload->waiting_dry, waiter);
        else
            LL_PREPEND(reload->waiting, waiter);
    }
    if (force == RELOAD_FORCED)
        reload->force = RELOAD_FORCED;
    if (force != RELOAD_DRY)
        reload->is_wanted = true;
    if (reload->state == RELOAD_IDLE)
        reload_begin(reload);
}

/* Warnings are worth a line in every log, what has changed in a chattier one. */
static void log_reload_text(struct slice text, size_t findings_len)
{
    log_text(LOG_WARNING, slice_range(text, 0, findings_len));
    log_text(LOG_INFO, slice_range(text, findings_len, text.len));
}

void reload_finish(struct reload *reload)
{
    struct reload_load *load = &reload->load;

    if (reload->state != RELOAD_SWAPPING)
        return;
    reload->options.serve(reload->options.context, load->next, load->next_store);
    load->next = NULL;
    load->next_store = NULL;
    log_reload_text(slice_of(load->text), load->findings_len);
    log_line(LOG_INFO, "reloaded '%s'", reload->options.config_path);
    reload_end(reload, RELOAD_GOOD, load->text);
}

void reload_stop(struct reload *reload)
{
    reload->is_stopped = true;
    reload->is_wanted = false;
    answer_waiters(&reload->waiting, RELOAD_REFUSED, RELOAD_ENDING);
    answer_waiters(&reload->waiting_dry, RELOAD_REFUSED, RELOAD_ENDING);
    if (reload->state == RELOAD_SWAPPING)
        return;
    answer_waiters(&reload->asking, RELOAD_REFUSED, RELOAD_ENDING);
    uv_timer_stop(&reload->deadline);
    if (reload->state == RELOAD_IN_TRIAL) {
        reload->options.cancel_trial(reload->options.context);
        reload->state = RELOAD_IDLE;
    }
}
