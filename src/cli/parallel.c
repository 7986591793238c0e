/* SPDX-License-Identifier: MIT */
#include "cli/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    THREADS_MAX = 64,
};

struct parallel_work {
    parallel_piece *piece;
    void *context;
    size_t n;
    atomic_size_t next;
};

static void *parallel_thread(void *argument)
{
    struct parallel_work *work = argument;
    size_t i;

    while ((i = atomic_fetch_add(&work->next, 1)) < work->n)
        work->piece(work->context, i);
    return NULL;
}

/* Works in the calling thread too, which does everything where no thread can be started. */
void parallel_for(parallel_piece *piece, void *context, size_t n)
{
    struct parallel_work work = {.piece = piece, .context = context, .n = n};
    pthread_t threads[THREADS_MAX];
    long n_wanted = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    size_t n_started = 0;

    while (n_started < THREADS_MAX && (long)n_started < n_wanted &&
           pthread_create(&threads[n_started], NULL, parallel_thread, &work) == 0)
        n_started++;
    parallel_thread(&work);
    while (n_started > 0)
        pthread_join(threads[--n_started], NULL);
}
