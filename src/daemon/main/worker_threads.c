/* SPDX-License-Identifier: MIT */
#include "daemon/main/worker_threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/main/signals.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/worker.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

struct worker_thread {
    struct worker_threads *all;
    struct worker *worker;
    pthread_t thread;
    atomic_bool has_ended;
};

struct worker_threads {
    worker_threads_ended *ended;
    void *context;
    atomic_size_t n_ended;
    size_t n_threads;
    struct worker_thread threads[];
};

struct worker_threads *worker_threads_new(size_t n_max, worker_threads_ended *ended, void *context)
{
    struct worker_threads *threads =
        memory_alloc(sizeof(*threads) + n_max * sizeof(threads->threads[0]));

    threads->ended = ended;
    threads->context = context;
    atomic_init(&threads->n_ended, 0);
    threads->n_threads = 0;
    return threads;
}

void worker_threads_free(struct worker_threads *threads)
{
    if (!threads)
        return;
    for (size_t i = 0; i < threads->n_threads; i++)
        worker_free(threads->threads[i].worker);
    free(threads);
}

int worker_threads_add(struct worker_threads *threads, const struct worker_options *options,
                       struct err *err)
{
    struct worker_thread *thread = &threads->threads[threads->n_threads];

    thread->all = threads;
    atomic_init(&thread->has_ended, false);
    if (worker_new(options, &thread->worker, err) != 0)
        return -1;
    threads->n_threads++;
    return 0;
}

size_t worker_threads_count(const struct worker_threads *threads)
{
    return threads->n_threads;
}

static void *run_worker(void *context)
{
    struct worker_thread *thread = context;

    worker_run(thread->worker);
    atomic_store(&thread->has_ended, true);
    atomic_fetch_add(&thread->all->n_ended, 1);
    thread->all->ended(thread->all->context);
    return NULL;
}

static void stop_threads(struct worker_threads *threads, size_t n_threads)
{
    for (size_t i = 0; i < n_threads; i++)
        worker_drain(threads->threads[i].worker, 0);
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads->threads[i].thread, NULL);
}

int worker_threads_start(struct worker_threads *threads, struct err *err)
{
    size_t n_started = 0;
    sigset_t before;
    int reason = 0;

    signals_block(&before);
    while (n_started < threads->n_threads && reason == 0) {
        struct worker_thread *thread = &threads->threads[n_started];

        reason = pthread_create(&thread->thread, NULL, run_worker, thread);
        if (reason == 0) {
            worker_wait(thread->worker);
            n_started++;
        }
    }
    if (reason != 0)
        stop_threads(threads, n_started);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason == 0 ? 0 : err_io(err, reason, "a worker's thread cannot be started");
}

void worker_threads_swap(struct worker_threads *threads, struct config *config,
                         struct cert_store *store)
{
    for (size_t i = 0; i < threads->n_threads; i++)
        worker_swap(threads->threads[i].worker, config, store);
}

void worker_threads_drain(struct worker_threads *threads, uint64_t timeout_ms)
{
    for (size_t i = 0; i < threads->n_threads; i++)
        worker_drain(threads->threads[i].worker, timeout_ms);
}

bool worker_threads_have_ended(const struct worker_threads *threads)
{
    return atomic_load(&threads->n_ended) == threads->n_threads;
}

void worker_threads_join(struct worker_threads *threads)
{
    for (size_t i = 0; i < threads->n_threads; i++)
        pthread_join(threads->threads[i].thread, NULL);
}

const struct metrics *worker_threads_metrics(const struct worker_threads *threads, size_t i)
{
    return worker_metrics(threads->threads[i].worker);
}

struct log_ring *worker_threads_log_ring(struct worker_threads *threads, size_t i)
{
    return worker_log_ring(threads->threads[i].worker);
}

bool worker_threads_count_turns(void *context, size_t i, uint64_t *ret_turns)
{
    const struct worker_threads *threads = context;

    *ret_turns = atomic_load(&worker_threads_metrics(threads, i)->turns);
    return !atomic_load(&threads->threads[i].has_ended);
}
