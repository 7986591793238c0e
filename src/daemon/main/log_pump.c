/* SPDX-License-Identifier: MIT */
#include "daemon/main/log_pump.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <uv.h>

#include "daemon/main/log_writer.h"
#include "daemon/main/worker_threads.h"
#include "lib/base/arena.h"

struct log_pump {
    uv_async_t records;
    uv_timer_t summary;
    struct log_writer *writer;
    struct worker_threads *threads; /* NULL: there are none yet */
    _Atomic uint64_t *n_dropped;
};

static void pump_write(struct log_pump *pump)
{
    for (size_t i = 0; i < worker_threads_count(pump->threads); i++)
        log_writer_write(pump->writer, worker_threads_log_ring(pump->threads, i));
    atomic_fetch_add(pump->n_dropped, log_writer_take_dropped(pump->writer));
}

static void on_pump_summary(uv_timer_t *timer)
{
    struct log_pump *pump = timer->data;

    log_writer_summarize(pump->writer);
}

/* What a second has held back is told at its end, whether or not there is more to tell then. */
static void on_pump_records(uv_async_t *handle)
{
    struct log_pump *pump = handle->data;

    pump_write(pump);
    if (!uv_is_active((uv_handle_t *)&pump->summary) && log_writer_needs_summary(pump->writer))
        uv_timer_start(&pump->summary, on_pump_summary, LOG_WRITER_SUMMARY_MS, 0);
}

struct log_pump *log_pump_new(struct uv_loop_s *loop, struct log_writer *writer,
                              _Atomic uint64_t *n_dropped)
{
    struct log_pump *pump = memory_alloc(sizeof(*pump));

    *pump = (struct log_pump){.writer = writer, .n_dropped = n_dropped};
    uv_async_init(loop, &pump->records, on_pump_records);
    uv_timer_init(loop, &pump->summary);
    pump->records.data = pump->summary.data = pump;
    return pump;
}

void log_pump_free(struct log_pump *pump)
{
    free(pump);
}

void log_pump_attach(struct log_pump *pump, struct worker_threads *threads)
{
    pump->threads = threads;
}

void log_pump_notify(struct log_pump *pump)
{
    uv_async_send(&pump->records);
}

void log_pump_finish(struct log_pump *pump)
{
    pump_write(pump);
    log_writer_summarize(pump->writer);
}
