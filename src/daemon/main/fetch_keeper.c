/* SPDX-License-Identifier: MIT */
#include "daemon/main/fetch_keeper.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/main/fetch_tally.h"
#include "daemon/main/job.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/state/fetch_count.h"

enum {
    COUNTS_MAX = 200 * 1000, /* 40 MiB */
    FILE_MODE = 0600,
};

struct fetch_keeper {
    struct fetch_keeper_options options;
    char *path;
    uv_timer_t timer;
    struct job *job;
    struct fetch_tally *tally; /* of what is fetched now */
    bool is_job_running;
    struct fetch_tally *writing; /* the job's, while it runs; NULL: nothing is to be written */
    bool is_failure_logged;      /* likewise */
};

static int keeper_print(void *context, FILE *out)
{
    fetch_count_print_head(clock_system.unix_ms(&clock_system) * 1000, out);
    fetch_tally_print(context, out);
    return ferror(out);
}

/* Writes the counts unless the last file is still there. */
static void keeper_write(void *context)
{
    struct fetch_keeper *keeper = context;
    struct err err;

    if (access(keeper->path, F_OK) == 0)
        return;
    if (file_replace(keeper->path, FILE_MODE, keeper_print, keeper->writing, &err) == 0) {
        fetch_tally_free(keeper->writing);
        keeper->writing = NULL;
        keeper->is_failure_logged = false;
        return;
    }
    atomic_fetch_add(keeper->options.n_failures, 1);
    if (!keeper->is_failure_logged)
        log_line(LOG_ERROR, "who fetches policies: %s; it is kept in memory, and tried again",
                 err.msg);
    keeper->is_failure_logged = true;
}

/* Also after a failure: a file that is still there is to be taken. */
static void keeper_on_written(void *context)
{
    struct fetch_keeper *keeper = context;

    keeper->is_job_running = false;
    if (access(keeper->path, F_OK) == 0)
        keeper->options.on_written(keeper->options.context);
}

/* Returns whether there is a tally to be written, and nobody writes it. */
static bool keeper_take_tally(struct fetch_keeper *keeper)
{
    if (keeper->is_job_running)
        return false;
    if (!keeper->writing && fetch_tally_size(keeper->tally) > 0) {
        keeper->writing = keeper->tally;
        keeper->tally = fetch_tally_new(COUNTS_MAX);
    }
    return keeper->writing;
}

static void keeper_on_time(uv_timer_t *timer)
{
    struct fetch_keeper *keeper = timer->data;

    if (keeper_take_tally(keeper))
        keeper->is_job_running = job_start(keeper->job);
}

struct fetch_keeper *fetch_keeper_new(const struct fetch_keeper_options *options)
{
    struct fetch_keeper *keeper = memory_alloc(sizeof(*keeper));

    *keeper = (struct fetch_keeper){
        .options = *options,
        .path = file_path_below(options->state_directory, FETCHES_FILE),
        .job = job_new(options->loop, keeper_write, keeper_on_written, keeper),
        .tally = fetch_tally_new(COUNTS_MAX),
    };
    uv_timer_init(options->loop, &keeper->timer);
    keeper->timer.data = keeper;
    uv_timer_start(&keeper->timer, keeper_on_time, options->every_ms, options->every_ms);
    keeper_on_written(keeper);
    return keeper;
}

void fetch_keeper_add(struct fetch_keeper *keeper, const struct log_record *record)
{
    if (keeper)
        fetch_tally_add(keeper->tally, record);
}

void fetch_keeper_stop(struct fetch_keeper *keeper)
{
    if (keeper)
        uv_timer_stop(&keeper->timer);
}

void fetch_keeper_free(struct fetch_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper_take_tally(keeper))
        keeper_write(keeper);
    job_free(keeper->job);
    fetch_tally_free(keeper->writing);
    fetch_tally_free(keeper->tally);
    free(keeper->path);
    free(keeper);
}
