/* SPDX-License-Identifier: MIT */
#include "daemon/main/site_schedule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "daemon/http/status_handler.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"

#define SITE_PROGRAM "mta-stsd-reports"
#define SITE_MEMORY_MAX ((uint64_t)2 << 30) /* of address space */

struct site_schedule {
    char *program, *folder;
    const char *command[5];
    struct site_schedule_options options;
    struct child_run *run; /* NULL: it was not started */
    bool is_due;           /* something has changed since the run began that is under way */
    uv_timer_t timer;
};

struct site_schedule *site_schedule_new(const struct config *config, const char *config_path)
{
    struct site_schedule *schedule;

    if (!config->state || !config->admin || strcmp(config_path, "-") == 0)
        return NULL;
    schedule = memory_alloc(sizeof(*schedule));
    *schedule = (struct site_schedule){.program = program_find_beside(SITE_PROGRAM),
                                       .folder = file_path_below(config->state, STATUS_FOLDER)};
    memcpy(
        schedule->command,
        ((const char *[]){schedule->program, "--config", config_path, "--site", schedule->folder}),
        sizeof(schedule->command));
    return schedule;
}

struct program_command site_schedule_command(const struct site_schedule *schedule)
{
    if (!schedule)
        return (struct program_command){NULL, 0};
    return (struct program_command){schedule->command, ARRAY_LEN(schedule->command)};
}

static void site_begin(uv_timer_t *timer);

static void site_wait(struct site_schedule *schedule)
{
    unsigned wait_ms = schedule->is_due ? schedule->options.delay_ms : schedule->options.every_ms;

    uv_timer_start(&schedule->timer, site_begin, wait_ms, 0);
}

static void site_fail(struct site_schedule *schedule, const char *reason)
{
    char interval[WHEN_SIZE];

    atomic_fetch_add(schedule->options.n_failed, 1);
    log_line(LOG_ERROR, "site: %s; the earlier pages stay, and it is tried again in %s", reason,
             when_duration(schedule->options.every_ms / 1000, interval));
}

static void site_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct site_schedule *schedule = context;
    const struct site_schedule_options *options = &schedule->options;

    if (end->outcome == SPAWN_EXITED && end->code == 0) {
        atomic_store(options->written_unix_s, options->clock->unix_s(options->clock));
        atomic_fetch_add(options->n_good, 1);
    } else {
        site_fail(schedule, reason);
    }
    site_wait(schedule);
}

static void site_begin(uv_timer_t *timer)
{
    const struct spawn_request request = {.program = SITE,
                                          .fds = {-1, -1, -1},
                                          .memory_max = MTA_INSTRUMENTED ? 0 : SITE_MEMORY_MAX,
                                          .timeout_ms = SITE_SCHEDULE_TIMEOUT_MS};
    struct site_schedule *schedule = timer->data;
    struct err err;

    schedule->is_due = false;
    if (child_run_start(schedule->run, &request, site_end, schedule, &err) == 0)
        return;
    site_fail(schedule, err.msg);
    site_wait(schedule);
}

void site_schedule_start(struct site_schedule *schedule,
                         const struct site_schedule_options *options)
{
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = "site",
                                          .program = schedule ? schedule->program : ""};

    if (!schedule)
        return;
    schedule->options = *options;
    schedule->run = child_run_new(&run);
    uv_timer_init(options->loop, &schedule->timer);
    schedule->timer.data = schedule;
    site_schedule_look(schedule);
}

void site_schedule_look(struct site_schedule *schedule)
{
    if (!schedule || !schedule->run)
        return;
    schedule->is_due = true;
    if (!child_run_is_under_way(schedule->run))
        site_wait(schedule);
}

void site_schedule_stop(struct site_schedule *schedule)
{
    if (!schedule || !schedule->run)
        return;
    uv_timer_stop(&schedule->timer);
    child_run_stop(schedule->run);
}

void site_schedule_free(struct site_schedule *schedule)
{
    if (!schedule)
        return;
    child_run_free(schedule->run);
    free(schedule->program);
    free(schedule->folder);
    free(schedule);
}
