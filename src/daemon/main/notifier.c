/* SPDX-License-Identifier: MIT */
#include "daemon/main/notifier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/child/child_run.h"
#include "daemon/child/spawner.h"
#include "daemon/main/job.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"

enum notifier_state {
    NOTIFIER_IDLE,
    NOTIFIER_LOOKING,   /* or the document of a test is written */
    NOTIFIER_RUNNING,   /* the program runs */
    NOTIFIER_ACCEPTING, /* it has delivered the document, which the book is to know */
};

struct notifier {
    struct notifier_options options;
    struct notice_desk *desk;
    enum notifier_state state;
    bool is_wanted;       /* a look, after what is under way */
    pthread_mutex_t lock; /* of is_stopped: the handle is not woken once it may be closed */
    bool is_stopped;
    uv_async_t wake;
    uv_timer_t timer;  /* of the next look */
    uint64_t ready_ms; /* no look before, by the loop's clock */
    uint64_t retry_ms; /* after the next failure */
    struct job *look, *accept;
    struct child_run *run;
    char *refusal; /* NULL: the last reload was good */

    notifier_test_done *test_done; /* NULL: nobody waits for a test */
    void *test_context;
    bool is_test; /* what is under way */

    /* A job's while it runs. */
    struct config *config; /* one reference */
    char *look_refusal;
    struct notice_task task;
    int result;
    struct err err;
};

static void notifier_begin(struct notifier *notifier);

static void notifier_on_timer(uv_timer_t *timer)
{
    notifier_begin(timer->data);
}

static void notifier_end(struct notifier *notifier, uint64_t next_look_ms)
{
    notifier->state = NOTIFIER_IDLE;
    notifier->is_test = false;
    config_unref(notifier->config);
    notifier->config = NULL;
    if (notifier->is_stopped)
        return;
    notifier->ready_ms = uv_now(notifier->options.loop) + notifier->options.pause_ms;
    uv_timer_start(&notifier->timer, notifier_on_timer, next_look_ms, 0);
    if (notifier->is_wanted || notifier->test_done)
        notifier_look(notifier);
}

static void notifier_answer_test(struct notifier *notifier, bool is_good, const char *text)
{
    notifier_test_done *done = notifier->test_done;

    notifier->test_done = NULL;
    if (done)
        done(notifier->test_context, is_good, text);
}

static void notifier_fail(struct notifier *notifier, const char *reason)
{
    uint64_t retry_ms = notifier->retry_ms;
    char interval[WHEN_SIZE];

    atomic_fetch_add(notifier->options.n_failed, 1);
    if (notifier->is_test) {
        notifier_answer_test(notifier, false, reason);
        notifier_end(notifier, notifier->options.pause_ms);
        return;
    }
    log_line(LOG_ERROR, "notify: %s; nothing is told, and it is tried again in %s", reason,
             when_duration(retry_ms / 1000, interval));
    notifier->retry_ms =
        2 * retry_ms < NOTIFIER_RETRY_MAX_MS ? 2 * retry_ms : NOTIFIER_RETRY_MAX_MS;
    notifier_end(notifier, retry_ms);
}

/* In the thread pool. */
static void notifier_accept(void *context)
{
    struct notifier *notifier = context;

    notifier->result = notice_desk_accept(notifier->desk, notifier->config, &notifier->err);
}

static void notifier_accepted(void *context)
{
    struct notifier *notifier = context;
    size_t n = notifier->task.n_notices;
    const char *program = (*notifier->options.config)->notify[0],
               *digest = notifier->task.is_digest ? "the digest: " : "",
               *noun = n == 1 ? "notice" : "notices";

    atomic_fetch_add(notifier->options.n_good, 1);
    notifier->retry_ms = notifier->options.retry_ms;
    if (notifier->result == 0)
        log_line(LOG_INFO, "notify: '%s' was told %s%zu %s", program, digest, n, noun);
    else
        log_line(LOG_ERROR,
                 "notify: '%s' was told %s%zu %s, but %s; after a restart it may be told the same "
                 "again",
                 program, digest, n, noun, notifier->err.msg);
    notifier->is_wanted = true; /* a digest may have waited, or the book is to be written */
    notifier_end(notifier, notifier->options.look_ms);
}

static void notifier_on_end(void *context, const struct spawn_end *end, const char *reason)
{
    struct notifier *notifier = context;
    bool is_good = end->outcome == SPAWN_EXITED && end->code == 0;

    if (!is_good) {
        notifier_fail(notifier, reason);
    } else if (notifier->is_test) {
        atomic_fetch_add(notifier->options.n_good, 1);
        notifier_answer_test(notifier, true, reason);
        notifier_end(notifier, notifier->options.pause_ms);
    } else {
        notifier->state = NOTIFIER_ACCEPTING;
        job_start(notifier->accept);
    }
}

static void notifier_run(struct notifier *notifier)
{
    const struct spawn_request request = {
        .program = NOTIFY,
        .fds = {notice_desk_open(notifier->desk, &notifier->err), -1, -1},
        .timeout_ms = NOTIFIER_TIMEOUT_MS};
    int result = -1;

    notifier->state = NOTIFIER_RUNNING;
    if (request.fds[0] >= 0) {
        result =
            child_run_start(notifier->run, &request, notifier_on_end, notifier, &notifier->err);
        close(request.fds[0]);
    }
    if (result != 0)
        notifier_fail(notifier, notifier->err.msg);
}

/* In the thread pool. */
static void notifier_work(void *context)
{
    struct notifier *notifier = context;
    const struct notice_look look = {.config = notifier->config,
                                     .gather = notifier->options.gather,
                                     .context = notifier->options.context,
                                     .refusal = notifier->look_refusal};

    notifier->result = notifier->is_test ? notice_desk_write_test(notifier->desk, &notifier->err)
                                         : notice_desk_look(notifier->desk, &look, &notifier->task,
                                                            &notifier->err);
}

static void notifier_looked(void *context)
{
    struct notifier *notifier = context;

    free(notifier->look_refusal);
    notifier->look_refusal = NULL;
    if (notifier->is_stopped) {
        notifier_end(notifier, 0);
        return;
    }
    if (notifier->result == 0 && !notifier->is_test && notifier->task.recheck_unix_s != 0)
        notifier->options.recheck(notifier->options.context, notifier->task.recheck_unix_s);
    if (notifier->result != 0) {
        notifier_fail(notifier, notifier->err.msg);
    } else if (notifier->is_test || notifier->task.n_notices > 0) {
        notifier_run(notifier);
    } else {
        notifier->retry_ms = notifier->options.retry_ms;
        notifier_end(notifier, notifier->options.look_ms);
    }
}

static void notifier_begin(struct notifier *notifier)
{
    uv_timer_stop(&notifier->timer);
    notifier->state = NOTIFIER_LOOKING;
    notifier->is_test = notifier->test_done != NULL;
    notifier->is_wanted = notifier->is_wanted && notifier->is_test;
    notifier->config = config_ref(*notifier->options.config);
    if (notifier->refusal && !notifier->is_test) {
        notifier->look_refusal = strdup(notifier->refusal);
        if (!notifier->look_refusal)
            memory_fail();
    }
    job_start(notifier->look);
}

static void notifier_on_wake(uv_async_t *wake)
{
    struct notifier *notifier = wake->data;
    uint64_t now_ms = uv_now(notifier->options.loop), wait_ms;

    if (notifier->is_stopped)
        return;
    notifier->is_wanted = true;
    if (notifier->state != NOTIFIER_IDLE)
        return;
    wait_ms = notifier->ready_ms > now_ms && !notifier->test_done ? notifier->ready_ms - now_ms : 0;
    uv_timer_start(&notifier->timer, notifier_on_timer, wait_ms, 0);
}

struct notifier *notifier_new(const struct notifier_options *options)
{
    struct child_run_options run = {
        .loop = options->loop, .spawner = options->spawner, .prefix = "notify"};
    struct notifier *notifier;

    if ((*options->config)->n_notify == 0)
        return NULL;
    if (!options->directory) {
        log_line(LOG_ERROR, "notify: nothing is told, because the directory of state: cannot be "
                            "used");
        return NULL;
    }
    run.program = (*options->config)->notify[0];
    notifier = memory_alloc(sizeof(*notifier));
    *notifier = (struct notifier){.options = *options, .retry_ms = options->retry_ms};
    notifier->desk = notice_desk_new(options->directory, options->clock);
    notifier->run = child_run_new(&run);
    pthread_mutex_init(&notifier->lock, NULL);
    notifier->look = job_new(options->loop, notifier_work, notifier_looked, notifier);
    notifier->accept = job_new(options->loop, notifier_accept, notifier_accepted, notifier);
    uv_async_init(options->loop, &notifier->wake, notifier_on_wake);
    uv_timer_init(options->loop, &notifier->timer);
    notifier->wake.data = notifier->timer.data = notifier;
    uv_timer_start(&notifier->timer, notifier_on_timer, options->pause_ms, 0);
    return notifier;
}

void notifier_look(struct notifier *notifier)
{
    if (!notifier)
        return;
    pthread_mutex_lock(&notifier->lock);
    if (!notifier->is_stopped)
        uv_async_send(&notifier->wake);
    pthread_mutex_unlock(&notifier->lock);
}

/*
 * Makes one line of what a reload has printed. Its last line, which says why it was refused, comes
 * first, for a notice has no room for all of a long text.
 */
static char *refusal_flatten(const char *reason)
{
    struct slice before = slice_of(reason), last;
    char *text = NULL;
    size_t at, len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        memory_fail();
    while (before.len > 0 && before.ptr[before.len - 1] == '\n')
        before.len--;
    for (at = before.len; at > 0 && before.ptr[at - 1] != '\n';)
        at--;
    last = slice_range(before, at, before.len);
    before.len = at;
    fprintf(out, "%.*s", SLICE_ARG(last));
    while (before.len > 0) {
        struct slice line = slice_take_field(&before, '\n');

        fprintf(out, "; %.*s", SLICE_ARG(line));
    }
    if (fclose(out) != 0)
        memory_fail();
    return text;
}

void notifier_take_reload(struct notifier *notifier, const char *reason)
{
    if (!notifier)
        return;
    free(notifier->refusal);
    notifier->refusal = reason ? refusal_flatten(reason) : NULL;
    notifier_look(notifier);
}

void notifier_test(struct notifier *notifier, notifier_test_done *done, void *context)
{
    if (!notifier) {
        done(context, false,
             "the daemon has no notify: in its configuration, or no state "
             "directory; its log says more");
    } else if (notifier->test_done || notifier->is_stopped) {
        done(context, false,
             notifier->is_stopped ? "the daemon is ending" : "another test is under way");
    } else {
        notifier->test_done = done;
        notifier->test_context = context;
        notifier_look(notifier);
    }
}

void notifier_stop(struct notifier *notifier)
{
    if (!notifier)
        return;
    pthread_mutex_lock(&notifier->lock);
    notifier->is_stopped = true;
    pthread_mutex_unlock(&notifier->lock);
    uv_timer_stop(&notifier->timer);
    child_run_stop(notifier->run);
    notifier_answer_test(notifier, false, "the daemon is ending");
}

void notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    child_run_free(notifier->run);
    job_free(notifier->look);
    job_free(notifier->accept);
    notice_desk_free(notifier->desk);
    config_unref(notifier->config);
    free(notifier->refusal);
    free(notifier->look_refusal);
    pthread_mutex_destroy(&notifier->lock);
    free(notifier);
}
