/* SPDX-License-Identifier: MIT */
#include "daemon/main/report_reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "daemon/child/child_output.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

#define READER_MEMORY_MAX ((uint64_t)1 << 30) /* of address space */

enum {
    READER_REASON_SIZE = 1024,
};

struct report_reader {
    struct report_reader_options options;
    pthread_mutex_t lock; /* of is_stopped: the handle is not woken once it may be closed */
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer;            /* runs while the next start has to wait */
    struct child_output *output; /* of the program that runs; NULL: it does not */
    uint64_t retry_ms;           /* after the next failure */
};

static void reader_wait(struct report_reader *reader, uint64_t ms);

static void reader_run_failed(struct report_reader *reader, const char *reason)
{
    char interval[WHEN_SIZE];
    uint64_t retry_ms = reader->retry_ms;

    atomic_fetch_add(reader->options.n_failed, 1);
    log_line(LOG_ERROR, "reports: %s; the reports stay in the spool, and it is tried again in %s",
             reason, when_duration(retry_ms / 1000, interval));
    reader->retry_ms = retry_ms * 2;
    if (reader->retry_ms > REPORT_READER_RETRY_MAX_MS)
        reader->retry_ms = REPORT_READER_RETRY_MAX_MS;
    reader_wait(reader, retry_ms);
}

static void reader_print_end(const struct report_reader *reader, const struct spawn_end *end,
                             char reason[static READER_REASON_SIZE])
{
    const char *program = reader->options.program;
    const char *last_line = child_output_last_line(reader->output);

    switch (end->outcome) {
    case SPAWN_FAILED:
        snprintf(reason, READER_REASON_SIZE, "'%s' cannot be started: %s", program,
                 strerror(end->code));
        break;
    case SPAWN_TIMED_OUT:
        snprintf(reason, READER_REASON_SIZE, "'%s' was ended after %d minutes", program,
                 REPORT_READER_TIMEOUT_MS / 60000);
        break;
    case SPAWN_SIGNALLED:
        snprintf(reason, READER_REASON_SIZE, "'%s' was ended by signal %d", program, end->code);
        break;
    case SPAWN_EXITED:
        snprintf(reason, READER_REASON_SIZE, "'%s' ended with status %d%s%s", program, end->code,
                 last_line[0] != '\0' ? ": " : "", last_line);
        break;
    }
}

static void on_reader_end(void *context, const struct spawn_end *end)
{
    struct report_reader *reader = context;
    char reason[READER_REASON_SIZE];

    child_output_finish(reader->output);
    reader_print_end(reader, end, reason);
    child_output_free(reader->output);
    reader->output = NULL;
    if (end->outcome == SPAWN_EXITED && end->code == 0) {
        atomic_fetch_add(reader->options.n_good, 1);
        reader->retry_ms = reader->options.retry_ms;
        reader_wait(reader, reader->options.pause_ms);
    } else {
        reader_run_failed(reader, reason);
    }
}

static void reader_start(struct report_reader *reader)
{
    struct spawn_request request = {.program = REPORTS,
                                    .fds = {-1, -1, -1},
                                    .memory_max = MTA_INSTRUMENTED ? 0 : READER_MEMORY_MAX,
                                    .timeout_ms = REPORT_READER_TIMEOUT_MS};
    struct err err;

    reader->output = child_output_new(reader->options.loop, "reports", &err);
    if (reader->output) {
        request.fds[1] = request.fds[2] = child_output_fd(reader->output);
        if (spawner_start(reader->options.spawner, &request, on_reader_end, reader, &err))
            return;
        child_output_free(reader->output);
        reader->output = NULL;
    }
    reader_run_failed(reader, err.msg);
}

/* If there are still reports, the count that begins now wakes the reader. */
static void on_reader_timer(uv_timer_t *timer)
{
    struct report_reader *reader = timer->data;

    reader->options.on_ended(reader->options.context);
}

static void reader_wait(struct report_reader *reader, uint64_t ms)
{
    if (!reader->is_stopped)
        uv_timer_start(&reader->timer, on_reader_timer, ms, 0);
}

static void on_reader_wake(uv_async_t *wake)
{
    struct report_reader *reader = wake->data;

    if (!reader->is_stopped && !reader->output && !uv_is_active((uv_handle_t *)&reader->timer))
        reader_start(reader);
}

struct report_reader *report_reader_new(const struct report_reader_options *options)
{
    struct report_reader *reader = memory_alloc(sizeof(*reader));

    *reader = (struct report_reader){.options = *options, .retry_ms = options->retry_ms};
    pthread_mutex_init(&reader->lock, NULL);
    uv_async_init(options->loop, &reader->wake, on_reader_wake);
    uv_timer_init(options->loop, &reader->timer);
    reader->wake.data = reader->timer.data = reader;
    return reader;
}

void report_reader_wake(struct report_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    if (!reader->is_stopped)
        uv_async_send(&reader->wake);
    pthread_mutex_unlock(&reader->lock);
}

void report_reader_stop(struct report_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->is_stopped = true;
    pthread_mutex_unlock(&reader->lock);
    uv_timer_stop(&reader->timer);
    child_output_free(reader->output);
    reader->output = NULL;
}

void report_reader_free(struct report_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}
