/* SPDX-License-Identifier: MIT */
/**
 * Liveness: finds workers whose loop stands still, says so in the log, and ends the process when
 * one has stood still for too long (daemon/main/watchdog.h).
 *
 * Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;
struct liveness;

/** How often loop `i` has turned. Returns false: the loop has ended, and may stand still. */
typedef bool liveness_count_turns(void *context, size_t i, uint64_t *ret_turns);

/** Never returns NULL. The clock lives as long. */
struct liveness *liveness_new(const struct clock *clock, size_t n_loops,
                              liveness_count_turns *count_turns, void *context);

/** Takes NULL. */
void liveness_free(struct liveness *liveness);

/**
 * Looks at all loops; called every WATCHDOG_LOOK_MS. Calls abort() when one is lost, so that a
 * supervisor starts a new process.
 *
 * Returns how many loops stand still.
 */
unsigned liveness_look(struct liveness *liveness);
