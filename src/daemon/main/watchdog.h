/* SPDX-License-Identifier: MIT */
/**
 * The watchdog: tells a worker whose loop has stopped turning from a machine that was asleep.
 *
 * The control plane looks at the loops' counters once a second. A loop that turns wakes up once a
 * second at least, so one whose counter stays the same hangs. Time counts only as far as the
 * control plane itself goes on: between two looks never more than WATCHDOG_STEP_MS, however long
 * the process was stopped or the machine suspended meanwhile.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    WATCHDOG_LOOK_MS = 1000,
    WATCHDOG_STEP_MS = 2 * WATCHDOG_LOOK_MS,
    WATCHDOG_STALLED_MS = 10 * 1000, /* from here on health checks fail */
    WATCHDOG_END_MS = 30 * 1000,     /* from here on a new process is better */
};

/** How one worker's loop does. */
struct watched_loop {
    uint64_t turns;        /* at the last look */
    uint64_t still_for_ms; /* it has not turned for so long, as the control plane counts */
};

enum loop_state {
    LOOP_TURNS,
    LOOP_STALLS, /* since this look: WATCHDOG_STALLED_MS are over */
    LOOP_STALLED,
    LOOP_RECOVERS, /* has turned again after it had stalled */
    LOOP_IS_LOST,  /* WATCHDOG_END_MS are over */
};

/** Looks at a loop. since_ms: since the last look, by the monotonic clock; 0 at the first. */
enum loop_state watchdog_look(struct watched_loop *loop, uint64_t turns, uint64_t since_ms);
