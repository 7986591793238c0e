/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_sweeper.h"

#include <stdbool.h>
#include <stdlib.h>

#include <uv.h>

#include "daemon/acme/acme_sweep.h"
#include "daemon/main/job.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

struct acme_sweeper {
    struct acme_sweeper_options options;
    uv_timer_t timer;
    struct job *job;
    struct config *config; /* the job's, one reference; NULL: it does not run */
    struct acme_sweep_counts counts;
    bool is_stopped;
};

/* In the thread pool. */
static void sweeper_run(void *context)
{
    struct acme_sweeper *sweeper = context;
    const struct clock *clock = sweeper->options.clock;

    acme_sweep_run(sweeper->options.commands, sweeper->config, clock->unix_s(clock),
                   &sweeper->counts);
}

static void sweeper_ran(void *context)
{
    struct acme_sweeper *sweeper = context;
    const struct acme_sweep_counts *counts = &sweeper->counts;

    config_unref(sweeper->config);
    sweeper->config = NULL;
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

static void sweeper_on_timer(uv_timer_t *timer)
{
    acme_sweeper_look(timer->data);
}

struct acme_sweeper *acme_sweeper_new(const struct acme_sweeper_options *options)
{
    struct acme_sweeper *sweeper = memory_alloc(sizeof(*sweeper));

    *sweeper = (struct acme_sweeper){.options = *options};
    sweeper->job = job_new(options->loop, sweeper_run, sweeper_ran, sweeper);
    uv_timer_init(options->loop, &sweeper->timer);
    sweeper->timer.data = sweeper;
    uv_timer_start(&sweeper->timer, sweeper_on_timer, 0, ACME_SWEEP_EVERY_MS);
    return sweeper;
}

void acme_sweeper_look(struct acme_sweeper *sweeper)
{
    if (sweeper->config || sweeper->is_stopped)
        return;
    sweeper->config = config_ref(*sweeper->options.config);
    job_start(sweeper->job);
}

void acme_sweeper_stop(struct acme_sweeper *sweeper)
{
    sweeper->is_stopped = true;
    uv_timer_stop(&sweeper->timer);
}

void acme_sweeper_free(struct acme_sweeper *sweeper)
{
    if (!sweeper)
        return;
    job_free(sweeper->job);
    config_unref(sweeper->config);
    free(sweeper);
}
