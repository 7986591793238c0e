/* SPDX-License-Identifier: MIT */
#include "daemon/main/on_change.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "daemon/main/job.h"
#include "daemon/main/server_stats.h"
#include "daemon/main/state_keeper.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/state/published.h"

enum on_change_state {
    ON_CHANGE_IDLE,
    ON_CHANGE_COMPARING,
    ON_CHANGE_RUNNING,
    ON_CHANGE_ACCEPTING,
};

struct on_change {
    struct on_change_options options;
    enum on_change_state state;
    bool is_wanted;       /* a look, after what is under way */
    pthread_mutex_t lock; /* of is_stopped: the handle is not woken once it may be closed */
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer; /* of the next look */
    struct job *compare, *accept;
    struct child_run *run;
    uint64_t retry_ms; /* after the next failure */

    /* A job's while it runs. */
    struct config *config; /* one reference */
    struct published_counts counts;
    int result;
    struct err err;
};

static const char *on_change_program(const struct on_change *on_change)
{
    return (*on_change->options.config)->on_change[0];
}

static void on_change_timer(uv_timer_t *timer)
{
    on_change_look(timer->data);
}

static void on_change_end(struct on_change *on_change, uint64_t next_look_ms)
{
    on_change->state = ON_CHANGE_IDLE;
    if (on_change->is_stopped)
        return;
    uv_timer_start(&on_change->timer, on_change_timer, next_look_ms, 0);
    if (on_change->is_wanted)
        on_change_look(on_change);
}

static void on_change_fail(struct on_change *on_change, const char *reason)
{
    char interval[WHEN_SIZE];
    uint64_t retry_ms = on_change->retry_ms;

    server_stats_count_run(on_change->options.stats, false);
    log_line(LOG_ERROR, "on_change: %s; the records are not published, and it is tried again in %s",
             reason, when_duration(retry_ms / 1000, interval));
    on_change->retry_ms = retry_ms * 2;
    if (on_change->retry_ms > ON_CHANGE_RETRY_MAX_MS)
        on_change->retry_ms = ON_CHANGE_RETRY_MAX_MS;
    on_change_end(on_change, retry_ms);
}

/* In the thread pool. */
static void on_change_accept(void *context)
{
    struct on_change *on_change = context;

    on_change->result = state_keeper_accept(on_change->options.keeper, &on_change->err);
}

static void on_change_accepted(void *context)
{
    struct on_change *on_change = context;
    const struct published_counts *counts = &on_change->counts;

    if (on_change->result != 0) {
        on_change_fail(on_change, on_change->err.msg);
        return;
    }
    on_change->retry_ms = on_change->options.retry_ms;
    server_stats_count_run(on_change->options.stats, true);
    log_line(LOG_INFO,
             "on_change: '%s' has accepted the records: %zu added, %zu changed, %zu "
             "deleted",
             on_change_program(on_change), counts->n_added, counts->n_changed, counts->n_deleted);
    on_change_end(on_change, on_change->options.look_ms);
}

static void on_change_program_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct on_change *on_change = context;

    on_change->state = ON_CHANGE_ACCEPTING;
    if (end->outcome == SPAWN_EXITED && end->code == 0)
        job_start(on_change->accept);
    else
        on_change_fail(on_change, reason);
}

static void on_change_run(struct on_change *on_change)
{
    const struct spawn_request request = {
        .program = ON_CHANGE,
        .fds = {state_keeper_open_changes(on_change->options.keeper, &on_change->err), -1, -1},
        .timeout_ms = (*on_change->options.config)->on_change_timeout_s * 1000};
    int result = -1;

    on_change->state = ON_CHANGE_RUNNING;
    if (request.fds[0] >= 0) {
        result = child_run_start(on_change->run, &request, on_change_program_end, on_change,
                                 &on_change->err);
        close(request.fds[0]);
    }
    if (result != 0)
        on_change_fail(on_change, on_change->err.msg);
}

/* In the thread pool. */
static void on_change_compare(void *context)
{
    struct on_change *on_change = context;

    on_change->result = state_keeper_compare(on_change->options.keeper, on_change->config,
                                             &on_change->counts, &on_change->err);
}

static void on_change_compared(void *context)
{
    struct on_change *on_change = context;
    const struct published_counts *counts = &on_change->counts;

    config_unref(on_change->config);
    on_change->config = NULL;
    if (on_change->is_stopped)
        return;
    if (on_change->result != 0)
        on_change_fail(on_change, on_change->err.msg);
    else if (counts->n_added + counts->n_changed + counts->n_deleted > 0)
        on_change_run(on_change);
    else
        on_change_end(on_change, on_change->options.look_ms);
}

static void on_change_wake(uv_async_t *wake)
{
    struct on_change *on_change = wake->data;

    if (on_change->is_stopped)
        return;
    on_change->is_wanted = on_change->state != ON_CHANGE_IDLE;
    if (on_change->is_wanted)
        return;
    uv_timer_stop(&on_change->timer);
    on_change->state = ON_CHANGE_COMPARING;
    on_change->config = config_ref(*on_change->options.config);
    job_start(on_change->compare);
}

struct on_change *on_change_new(const struct on_change_options *options)
{
    struct child_run_options run = {
        .loop = options->loop, .spawner = options->spawner, .prefix = "on_change"};
    struct on_change *on_change;

    if ((*options->config)->n_on_change == 0)
        return NULL;
    if (!options->keeper) {
        log_line(LOG_ERROR, "on_change: nothing is published, because the directory of state: "
                            "cannot be used");
        return NULL;
    }
    run.program = (*options->config)->on_change[0];
    on_change = memory_alloc(sizeof(*on_change));
    *on_change = (struct on_change){.options = *options, .retry_ms = options->retry_ms};
    on_change->run = child_run_new(&run);
    pthread_mutex_init(&on_change->lock, NULL);
    on_change->compare = job_new(options->loop, on_change_compare, on_change_compared, on_change);
    on_change->accept = job_new(options->loop, on_change_accept, on_change_accepted, on_change);
    uv_async_init(options->loop, &on_change->wake, on_change_wake);
    uv_timer_init(options->loop, &on_change->timer);
    on_change->wake.data = on_change->timer.data = on_change;
    return on_change;
}

void on_change_look(struct on_change *on_change)
{
    if (!on_change)
        return;
    pthread_mutex_lock(&on_change->lock);
    if (!on_change->is_stopped)
        uv_async_send(&on_change->wake);
    pthread_mutex_unlock(&on_change->lock);
}

void on_change_stop(struct on_change *on_change)
{
    if (!on_change)
        return;
    pthread_mutex_lock(&on_change->lock);
    on_change->is_stopped = true;
    pthread_mutex_unlock(&on_change->lock);
    uv_timer_stop(&on_change->timer);
    child_run_stop(on_change->run);
}

void on_change_free(struct on_change *on_change)
{
    if (!on_change)
        return;
    child_run_free(on_change->run);
    job_free(on_change->compare);
    job_free(on_change->accept);
    pthread_mutex_destroy(&on_change->lock);
    free(on_change);
}
