/* SPDX-License-Identifier: MIT */
#include "daemon/main/report_reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

#define READER_MEMORY_MAX ((uint64_t)1 << 30) /* of address space */

struct report_reader {
    struct report_reader_options options;
    pthread_mutex_t lock; /* of is_stopped: the handle is not woken once it may be closed */
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer; /* runs while the next start has to wait */
    struct child_run *run;
    uint64_t retry_ms; /* after the next failure */
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

static void on_reader_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct report_reader *reader = context;

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
    const struct spawn_request request = {.program = REPORTS,
                                          .fds = {-1, -1, -1},
                                          .memory_max = MTA_INSTRUMENTED ? 0 : READER_MEMORY_MAX,
                                          .timeout_ms = REPORT_READER_TIMEOUT_MS};
    struct err err;

    if (child_run_start(reader->run, &request, on_reader_end, reader, &err) != 0)
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

    if (!reader->is_stopped && !child_run_is_under_way(reader->run) &&
        !uv_is_active((uv_handle_t *)&reader->timer))
        reader_start(reader);
}

struct report_reader *report_reader_new(const struct report_reader_options *options)
{
    struct report_reader *reader = memory_alloc(sizeof(*reader));
    const struct child_run_options run = {.loop = options->loop,
                                          .spawner = options->spawner,
                                          .prefix = "reports",
                                          .program = options->program};

    *reader = (struct report_reader){
        .options = *options, .run = child_run_new(&run), .retry_ms = options->retry_ms};
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
    child_run_stop(reader->run);
}

void report_reader_free(struct report_reader *reader)
{
    if (!reader)
        return;
    child_run_free(reader->run);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}
