/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "daemon/main/internal.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/worker.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

static uint64_t now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

/* Returns whether the loop stands still. */
static bool look_at_loop(struct worker_thread *thread, size_t number, uint64_t since_ms)
{
    uint64_t turns = atomic_load(&worker_metrics(thread->worker)->turns);

    switch (watchdog_look(&thread->loop, turns, since_ms)) {
    case LOOP_TURNS:
        return false;
    case LOOP_RECOVERS:
        log_line(LOG_WARNING, "the loop of worker %zu turns again", number);
        return false;
    case LOOP_STALLS:
        log_line(LOG_ERROR,
                 "the loop of worker %zu has not turned for %d s: its connections wait; health "
                 "checks fail from now on, and after %d s the daemon ends itself",
                 number, WATCHDOG_STALLED_MS / 1000, WATCHDOG_END_MS / 1000);
        return true;
    case LOOP_STALLED:
        return true;
    case LOOP_IS_LOST:
        log_line(LOG_ERROR,
                 "the loop of worker %zu has not turned for %d s: the daemon ends itself, so that "
                 "a new one can be started",
                 number, WATCHDOG_END_MS / 1000);
        abort();
    }
    abort();
}

static void on_look(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = now_ms();
    unsigned n_stalled = 0;

    for (size_t i = 0; i < server->n_threads; i++)
        if (!atomic_load(&server->workers[i].has_ended))
            n_stalled += look_at_loop(&server->workers[i], i + 1, now - server->looked_at_ms);
    server->looked_at_ms = now;
    atomic_store(&server->tally.n_loops_stalled, n_stalled);
    if (server->has_systemd_watchdog)
        systemd_notify_alive(server->notify_fd);
}

void liveness_start(struct server *server)
{
    server->looked_at_ms = now_ms();
    server->has_systemd_watchdog = systemd_wants_watchdog();
    uv_timer_start(&server->look, on_look, WATCHDOG_LOOK_MS, WATCHDOG_LOOK_MS);
}
