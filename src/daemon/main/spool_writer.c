/* SPDX-License-Identifier: MIT */
#include "daemon/main/spool_writer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "daemon/main/job.h"
#include "daemon/main/signals.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

enum {
    BYTES_MAX = 8 * 1024 * 1024, /* of the bodies that wait */
    LOG_PAUSE_MS = 60 * 1000,
};

struct spool_writer {
    struct spool_writer_options options;
    char *state_directory;
    pthread_t thread;
    pthread_mutex_t lock; /* of all up to `count` */
    pthread_cond_t has_work;
    struct report_job *waiting; /* the oldest first */
    size_t n_jobs;              /* that are under way, those that are being written too */
    size_t body_bytes;          /* of these */
    bool is_recount_wanted, is_ending;
    struct spool_count count;
    struct spool *spool; /* the thread's own, as is the rest; NULL: not open */
    uint64_t logged_ms;  /* 0: never */
    uint64_t full_logged_ms;
};

/* Returns whether it is time to say something again that was said at *said_ms. */
static bool writer_may_say(const struct spool_writer *writer, uint64_t *said_ms)
{
    uint64_t now_ms = writer->options.clock->monotonic_ms(writer->options.clock);

    if (*said_ms != 0 && now_ms - *said_ms < LOG_PAUSE_MS)
        return false;
    *said_ms = now_ms;
    return true;
}

static void writer_say_failure(struct spool_writer *writer, const struct err *err)
{
    atomic_fetch_add(writer->options.n_failures, 1);
    if (writer_may_say(writer, &writer->logged_ms))
        log_line(LOG_ERROR,
                 "reports: %s; senders are told to send their reports later, and policies are "
                 "served as before",
                 err->msg);
}

static void writer_say_full(struct spool_writer *writer)
{
    const struct spool_quota *quota = &writer->options.quota;

    if (writer_may_say(writer, &writer->full_logged_ms))
        log_line(LOG_WARNING,
                 "reports: '%s/" SPOOL_DIRECTORY "' is full: it may hold %zu files and %" PRIu64
                 " MiB; senders are told to send their reports later",
                 writer->state_directory, quota->files_max, quota->bytes_max >> 20);
}

static int writer_open(struct spool_writer *writer, struct err *err)
{
    const struct spool_writer_options *options = &writer->options;

    if (writer->spool)
        return 0;
    return spool_open(writer->state_directory, &options->quota, options->clock, &writer->spool,
                      err);
}

static void writer_publish_count(struct spool_writer *writer)
{
    const struct spool_count count = *spool_counted(writer->spool);

    pthread_mutex_lock(&writer->lock);
    writer->count = count;
    pthread_mutex_unlock(&writer->lock);
    if (count.n_waiting > 0)
        writer->options.on_waiting(writer->options.context);
}

static void writer_recount(struct spool_writer *writer)
{
    struct err err;

    if (writer_open(writer, &err) == 0 && spool_recount(writer->spool, &err) == 0)
        writer_publish_count(writer);
    else
        writer_say_failure(writer, &err);
}

static void writer_write_reports(struct spool_writer *writer, struct spool_report **reports,
                                 size_t n)
{
    struct err err;

    if (writer_open(writer, &err) != 0) {
        for (size_t i = 0; i < n; i++)
            reports[i]->result = SPOOL_FAILED;
        writer_say_failure(writer, &err);
        return;
    }
    if (spool_write(writer->spool, reports, n, &err) != 0)
        writer_say_failure(writer, &err);
    for (size_t i = 0; i < n; i++)
        if (reports[i]->result == SPOOL_FULL) {
            writer_say_full(writer);
            break;
        }
    writer_publish_count(writer);
}

/* Takes the oldest jobs off the queue; the lock is held. */
static size_t writer_take_group(struct spool_writer *writer,
                                struct report_job *jobs[SPOOL_GROUP_MAX])
{
    size_t n = 0;

    while (n < SPOOL_GROUP_MAX && writer->waiting) {
        jobs[n] = writer->waiting;
        DL_DELETE(writer->waiting, jobs[n]);
        n++;
    }
    return n;
}

static void writer_do_group(struct spool_writer *writer, struct report_job **jobs, size_t n_jobs)
{
    struct spool_report *reports[SPOOL_GROUP_MAX];
    size_t body_bytes = 0;

    for (size_t i = 0; i < n_jobs; i++) {
        reports[i] = &jobs[i]->report;
        body_bytes += jobs[i]->report.entry.body.len;
    }
    writer_write_reports(writer, reports, n_jobs);
    pthread_mutex_lock(&writer->lock);
    writer->n_jobs -= n_jobs;
    writer->body_bytes -= body_bytes;
    pthread_mutex_unlock(&writer->lock);
    for (size_t i = 0; i < n_jobs; i++)
        jobs[i]->done(jobs[i]);
}

static void *writer_run(void *context)
{
    struct spool_writer *writer = context;
    struct report_job *jobs[SPOOL_GROUP_MAX];
    bool is_recount_wanted;
    size_t n_jobs;

    job_lower_priority();
    for (;;) {
        pthread_mutex_lock(&writer->lock);
        while (!writer->waiting && !writer->is_recount_wanted && !writer->is_ending)
            pthread_cond_wait(&writer->has_work, &writer->lock);
        n_jobs = writer_take_group(writer, jobs);
        is_recount_wanted = writer->is_recount_wanted;
        writer->is_recount_wanted = false;
        pthread_mutex_unlock(&writer->lock);
        if (n_jobs == 0 && !is_recount_wanted)
            return NULL;
        if (is_recount_wanted)
            writer_recount(writer);
        if (n_jobs > 0)
            writer_do_group(writer, jobs, n_jobs);
    }
}

int spool_writer_new(const struct spool_writer_options *options, struct spool_writer **ret_writer,
                     struct err *err)
{
    struct spool_writer *writer = memory_alloc(sizeof(*writer));
    sigset_t before;
    int reason;

    /* What the last run has left is to be read. */
    *writer = (struct spool_writer){.options = *options,
                                    .state_directory = strdup(options->state_directory),
                                    .is_recount_wanted = true};
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->has_work, NULL);
    signals_block(&before);
    reason = pthread_create(&writer->thread, NULL, writer_run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason == 0) {
        *ret_writer = writer;
        return 0;
    }
    pthread_cond_destroy(&writer->has_work);
    pthread_mutex_destroy(&writer->lock);
    free(writer->state_directory);
    free(writer);
    return err_io(err, reason, "the thread that keeps reports cannot be started");
}

void spool_writer_free(struct spool_writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->is_ending = true;
    pthread_cond_signal(&writer->has_work);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    spool_close(writer->spool);
    pthread_cond_destroy(&writer->has_work);
    pthread_mutex_destroy(&writer->lock);
    free(writer->state_directory);
    free(writer);
}

bool spool_writer_keep(void *context, struct report_job *job, size_t n_max)
{
    struct spool_writer *writer = context;
    size_t body_len = job->report.entry.body.len;
    bool is_taken;

    pthread_mutex_lock(&writer->lock);
    is_taken = writer->n_jobs < n_max && writer->body_bytes + body_len <= BYTES_MAX;
    if (is_taken) {
        writer->n_jobs++;
        writer->body_bytes += body_len;
        DL_APPEND(writer->waiting, job);
        pthread_cond_signal(&writer->has_work);
    }
    pthread_mutex_unlock(&writer->lock);
    return is_taken;
}

void spool_writer_recount(struct spool_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->is_recount_wanted = true;
    pthread_cond_signal(&writer->has_work);
    pthread_mutex_unlock(&writer->lock);
}

struct spool_count spool_writer_counted(struct spool_writer *writer)
{
    struct spool_count count = {0};

    if (!writer)
        return count;
    pthread_mutex_lock(&writer->lock);
    count = writer->count;
    pthread_mutex_unlock(&writer->lock);
    return count;
}
