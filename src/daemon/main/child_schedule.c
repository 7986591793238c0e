/* SPDX-License-Identifier: MIT */
#include "daemon/main/child_schedule.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"

struct child_schedule {
    struct child_schedule_task task; /* its arguments are those of `texts` */
    char *texts[CHILD_SCHEDULE_TEXTS_MAX];
    size_t n_texts;
    struct child_schedule_options options;
    struct child_run *run; /* NULL: it was not started */
    unsigned wait_ms;      /* from the end of the run that is under way to the next */
    uv_timer_t timer;
};

struct child_schedule *child_schedule_new(const struct child_schedule_task *task)
{
    struct child_schedule *schedule = memory_alloc(sizeof(*schedule));

    *schedule = (struct child_schedule){.task = *task, .n_texts = 1 + task->n_arguments};
    schedule->texts[0] = program_find_beside(task->name);
    for (size_t i = 0; i < task->n_arguments; i++) {
        schedule->texts[1 + i] = strdup(task->arguments[i]);
        if (!schedule->texts[1 + i])
            memory_fail();
    }
    return schedule;
}

struct program_command child_schedule_command(const struct child_schedule *schedule)
{
    if (!schedule)
        return (struct program_command){NULL, 0};
    return (struct program_command){(const char *const *)schedule->texts, schedule->n_texts};
}

static void child_schedule_fail(struct child_schedule *schedule, const char *reason)
{
    char interval[WHEN_SIZE];

    atomic_fetch_add(schedule->options.n_failed, 1);
    log_line(LOG_ERROR, "%s: %s; %s stay, and it is tried again in %s", schedule->task.prefix,
             reason, schedule->task.what_stays, when_duration(schedule->wait_ms / 1000, interval));
}

static void child_schedule_begin(uv_timer_t *timer);

static void child_schedule_wait(struct child_schedule *schedule)
{
    uv_timer_start(&schedule->timer, child_schedule_begin, schedule->wait_ms, 0);
}

static void child_schedule_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct child_schedule *schedule = context;

    if (end->outcome == SPAWN_EXITED && end->code == 0) {
        atomic_fetch_add(schedule->options.n_good, 1);
        if (schedule->options.done)
            schedule->options.done(schedule->options.context);
    } else {
        child_schedule_fail(schedule, reason);
    }
    child_schedule_wait(schedule);
}

static void child_schedule_begin(uv_timer_t *timer)
{
    struct child_schedule *schedule = timer->data;
    const struct spawn_request request = {.program = schedule->task.program,
                                          .fds = {-1, -1, -1},
                                          .memory_max =
                                              MTA_INSTRUMENTED ? 0 : schedule->task.memory_max,
                                          .timeout_ms = schedule->task.timeout_ms};
    struct err err;

    schedule->wait_ms = schedule->options.every_ms;
    if (child_run_start(schedule->run, &request, child_schedule_end, schedule, &err) == 0)
        return;
    child_schedule_fail(schedule, err.msg);
    child_schedule_wait(schedule);
}

void child_schedule_start(struct child_schedule *schedule,
                          const struct child_schedule_options *options)
{
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = schedule ? schedule->task.prefix : "",
                                          .program = schedule ? schedule->texts[0] : ""};

    if (!schedule)
        return;
    schedule->options = *options;
    schedule->run = child_run_new(&run);
    schedule->wait_ms = options->delay_ms;
    uv_timer_init(options->loop, &schedule->timer);
    schedule->timer.data = schedule;
    child_schedule_wait(schedule);
}

void child_schedule_look(struct child_schedule *schedule, unsigned within_ms)
{
    if (!schedule || !schedule->run)
        return;
    if (!child_run_is_under_way(schedule->run)) {
        if (uv_timer_get_due_in(&schedule->timer) <= within_ms)
            return;
        schedule->wait_ms = within_ms;
        child_schedule_wait(schedule);
    } else if (within_ms < schedule->wait_ms) {
        schedule->wait_ms = within_ms;
    }
}

void child_schedule_stop(struct child_schedule *schedule)
{
    if (!schedule || !schedule->run)
        return;
    uv_timer_stop(&schedule->timer);
    child_run_stop(schedule->run);
}

void child_schedule_free(struct child_schedule *schedule)
{
    if (!schedule)
        return;
    child_run_free(schedule->run);
    for (size_t i = 0; i < schedule->n_texts; i++)
        free(schedule->texts[i]);
    free(schedule);
}
