/* SPDX-License-Identifier: MIT */
#include "daemon/main/watchdog.h"

enum loop_state watchdog_look(struct watched_loop *loop, uint64_t turns, uint64_t since_ms)
{
    uint64_t before_ms = loop->still_for_ms;

    if (turns != loop->turns) {
        *loop = (struct watched_loop){.turns = turns};
        return before_ms >= WATCHDOG_STALLED_MS ? LOOP_RECOVERS : LOOP_TURNS;
    }
    loop->still_for_ms += since_ms < WATCHDOG_STEP_MS ? since_ms : WATCHDOG_STEP_MS;
    if (loop->still_for_ms >= WATCHDOG_END_MS)
        return LOOP_IS_LOST;
    if (loop->still_for_ms < WATCHDOG_STALLED_MS)
        return LOOP_TURNS;
    return before_ms < WATCHDOG_STALLED_MS ? LOOP_STALLS : LOOP_STALLED;
}
