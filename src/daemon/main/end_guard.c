/* SPDX-License-Identifier: MIT */
#include "daemon/main/end_guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct end_guard {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    bool is_freed, has_thread;
    struct timespec deadline; /* by the monotonic clock */
};

static void exit_at_once(int number)
{
    (void)number;
    _exit(0);
}

static void *wait_for_deadline(void *context)
{
    struct end_guard *guard = context;
    int result = 0;

    pthread_mutex_lock(&guard->mutex);
    while (!guard->is_freed && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&guard->freed, &guard->mutex, &guard->deadline);
    if (!guard->is_freed) {
        log_line(LOG_WARNING, "ended while a file system does not answer");
        _exit(0);
    }
    pthread_mutex_unlock(&guard->mutex);
    return NULL;
}

/* The thread inherits the mask, so it is made first. */
static void take_signals(void)
{
    const struct sigaction action = {.sa_handler = exit_at_once};
    sigset_t signals;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

struct end_guard *end_guard_new(unsigned patience_ms)
{
    struct end_guard *guard = memory_alloc(sizeof(*guard));
    pthread_condattr_t attributes;

    *guard = (struct end_guard){.is_freed = false};
    pthread_mutex_init(&guard->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&guard->freed, &attributes);
    pthread_condattr_destroy(&attributes);
    guard->deadline = clock_timespec(clock_system.monotonic_ms(&clock_system) + patience_ms);
    /* Without its thread, a second signal still ends the process. */
    guard->has_thread = pthread_create(&guard->thread, NULL, wait_for_deadline, guard) == 0;
    take_signals();
    return guard;
}

void end_guard_free(struct end_guard *guard)
{
    if (!guard)
        return;
    pthread_mutex_lock(&guard->mutex);
    guard->is_freed = true;
    pthread_cond_signal(&guard->freed);
    pthread_mutex_unlock(&guard->mutex);
    if (guard->has_thread)
        pthread_join(guard->thread, NULL);
    pthread_cond_destroy(&guard->freed);
    pthread_mutex_destroy(&guard->mutex);
    free(guard);
}
