/* SPDX-License-Identifier: MIT */
#include "daemon/main/liveness.h"

#include <stdlib.h>

#include "daemon/main/watchdog.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct liveness {
    const struct clock *clock;
    liveness_count_turns *count_turns;
    void *context;
    uint64_t looked_at_ms;
    size_t n_loops;
    struct watched_loop loops[];
};

struct liveness *liveness_new(const struct clock *clock, size_t n_loops,
                              liveness_count_turns *count_turns, void *context)
{
    struct liveness *liveness =
        memory_alloc(sizeof(*liveness) + n_loops * sizeof(liveness->loops[0]));

    liveness->clock = clock;
    liveness->count_turns = count_turns;
    liveness->context = context;
    liveness->looked_at_ms = clock->monotonic_ms(clock);
    liveness->n_loops = n_loops;
    for (size_t i = 0; i < n_loops; i++)
        liveness->loops[i] = (struct watched_loop){0};
    return liveness;
}

void liveness_free(struct liveness *liveness)
{
    free(liveness);
}

/* Returns whether the loop stands still. */
static bool is_loop_stalled(struct watched_loop *loop, size_t number, uint64_t turns,
                            uint64_t since_ms)
{
    switch (watchdog_look(loop, turns, since_ms)) {
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

unsigned liveness_look(struct liveness *liveness)
{
    uint64_t now_ms = liveness->clock->monotonic_ms(liveness->clock), turns;
    uint64_t since_ms = now_ms - liveness->looked_at_ms;
    unsigned n_stalled = 0;

    for (size_t i = 0; i < liveness->n_loops; i++)
        if (liveness->count_turns(liveness->context, i, &turns))
            n_stalled += is_loop_stalled(&liveness->loops[i], i + 1, turns, since_ms);
    liveness->looked_at_ms = now_ms;
    return n_stalled;
}
