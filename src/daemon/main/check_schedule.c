/* SPDX-License-Identifier: MIT */
#include "daemon/main/check_schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"

#define CHECK_PROGRAM "mta-stsd-check"
#define CHECK_MEMORY_MAX ((uint64_t)2 << 30) /* of address space */

enum {
    RESULTS_MODE = 0644,
    STATUS_WITH_ERRORS = 1, /* a domain has errors, which is a result too */
};

struct check_schedule {
    char *program;
    char *results, *new_results, *metrics; /* paths */
    const char *command[8];
    struct check_schedule_options options; /* without a loop: it was not started */
    struct child_run *run;
    uint32_t every_s; /* of the configuration that the timer is set by */
    uv_timer_t timer;
};

struct check_schedule *check_schedule_new(const struct config *config, const char *config_path)
{
    struct check_schedule *schedule;

    if (!config->state || strcmp(config_path, "-") == 0)
        return NULL;
    schedule = memory_alloc(sizeof(*schedule));
    *schedule = (struct check_schedule){
        .program = program_find_beside(CHECK_PROGRAM),
        .results = file_path_below(config->state, CHECK_RESULTS),
        .new_results = file_path_below(config->state, CHECK_RESULTS ".new"),
        .metrics = file_path_below(config->state, CHECK_METRICS),
    };
    memcpy(schedule->command,
           ((const char *[]){schedule->program, "--config", config_path, "--check", "--json",
                             "--quiet", "--metrics", schedule->metrics}),
           sizeof(schedule->command));
    return schedule;
}

struct program_command check_schedule_command(const struct check_schedule *schedule)
{
    if (!schedule)
        return (struct program_command){NULL, 0};
    return (struct program_command){schedule->command, ARRAY_LEN(schedule->command)};
}

const char *check_schedule_results(const struct check_schedule *schedule)
{
    return schedule->results;
}

const char *check_schedule_metrics(const struct check_schedule *schedule)
{
    return schedule->metrics;
}

/* Milliseconds until the results are as old as they may be; 0: they are, or there are none. */
static uint64_t schedule_due_ms(const struct check_schedule *schedule)
{
    int64_t now_unix_s = clock_system.unix_s(&clock_system);
    int64_t every_s = (*schedule->options.config)->check_every_s, age_s;
    struct stat status;

    if (stat(schedule->results, &status) != 0)
        return 0;
    age_s = now_unix_s - status.st_mtim.tv_sec;
    return age_s < 0 || age_s >= every_s ? 0 : (uint64_t)(every_s - age_s) * 1000;
}

static void schedule_begin(uv_timer_t *timer);

/* Waits for the next run, at least so long. */
static void schedule_wait(struct check_schedule *schedule, uint64_t at_least_ms)
{
    uint64_t due_ms = schedule_due_ms(schedule);

    schedule->every_s = (*schedule->options.config)->check_every_s;
    uv_timer_stop(&schedule->timer);
    if (schedule->every_s > 0)
        uv_timer_start(&schedule->timer, schedule_begin,
                       due_ms > at_least_ms ? due_ms : at_least_ms, 0);
}

static void schedule_fail(struct check_schedule *schedule, const char *reason)
{
    char interval[WHEN_SIZE];

    atomic_fetch_add(schedule->options.n_failed, 1);
    log_line(LOG_ERROR, "check: %s; the earlier results stay, and it is tried again in %s", reason,
             when_duration(schedule->options.retry_ms / 1000, interval));
    schedule_wait(schedule, schedule->options.retry_ms);
}

static void schedule_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct check_schedule *schedule = context;
    struct err err;

    if (end->outcome != SPAWN_EXITED || end->code > STATUS_WITH_ERRORS) {
        schedule_fail(schedule, reason);
    } else if (rename(schedule->new_results, schedule->results) != 0) {
        err_io(&err, errno, "'%s' cannot be written", schedule->results);
        schedule_fail(schedule, err.msg);
    } else {
        atomic_fetch_add(schedule->options.n_good, 1);
        log_line(LOG_INFO,
                 "check: all domains were checked%s; /check.json and /metrics of the "
                 "admin listener have the results",
                 end->code == STATUS_WITH_ERRORS ? ", and some have errors" : "");
        schedule_wait(schedule, 0);
        schedule->options.done(schedule->options.context);
    }
}

static int schedule_run(struct check_schedule *schedule, struct err *err)
{
    struct spawn_request request = {.program = CHECK,
                                    .fds = {-1, -1, -1},
                                    .memory_max = MTA_INSTRUMENTED ? 0 : CHECK_MEMORY_MAX,
                                    .timeout_ms = CHECK_SCHEDULE_TIMEOUT_MS};
    int result;

    /* A new file: a check that outlived a killed daemon may still print into the one that is there.
     */
    unlink(schedule->new_results);
    request.fds[1] = open(schedule->new_results,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, RESULTS_MODE);
    if (request.fds[1] < 0)
        return err_io(err, errno, "'%s' cannot be written", schedule->new_results);
    result = child_run_start(schedule->run, &request, schedule_end, schedule, err);
    close(request.fds[1]);
    return result;
}

static void schedule_begin(uv_timer_t *timer)
{
    struct check_schedule *schedule = timer->data;
    struct err err;

    if (schedule_run(schedule, &err) != 0)
        schedule_fail(schedule, err.msg);
}

void check_schedule_start(struct check_schedule *schedule,
                          const struct check_schedule_options *options)
{
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = "check",
                                          .program = schedule ? schedule->program : ""};

    if (!schedule)
        return;
    schedule->options = *options;
    schedule->run = child_run_new(&run);
    uv_timer_init(options->loop, &schedule->timer);
    schedule->timer.data = schedule;
    schedule_wait(schedule, options->delay_ms);
}

void check_schedule_look(struct check_schedule *schedule)
{
    if (schedule && !child_run_is_under_way(schedule->run) &&
        schedule->every_s != (*schedule->options.config)->check_every_s)
        schedule_wait(schedule, schedule->options.delay_ms);
}

void check_schedule_run_by(struct check_schedule *schedule, int64_t at_unix_s)
{
    int64_t wait_s;

    if (!schedule || !uv_is_active((const uv_handle_t *)&schedule->timer))
        return; /* none are wanted, or one is under way */
    wait_s = at_unix_s - clock_system.unix_s(&clock_system);
    if (wait_s < 0)
        wait_s = 0;
    if (uv_timer_get_due_in(&schedule->timer) > (uint64_t)wait_s * 1000)
        uv_timer_start(&schedule->timer, schedule_begin, (uint64_t)wait_s * 1000, 0);
}

void check_schedule_stop(struct check_schedule *schedule)
{
    if (!schedule)
        return;
    uv_timer_stop(&schedule->timer);
    child_run_stop(schedule->run);
}

void check_schedule_free(struct check_schedule *schedule)
{
    if (!schedule)
        return;
    child_run_free(schedule->run);
    free(schedule->program);
    free(schedule->results);
    free(schedule->new_results);
    free(schedule->metrics);
    free(schedule);
}
