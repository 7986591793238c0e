/* SPDX-License-Identifier: MIT */
/**
 * A spawner and a loop of its own, for what starts children. The test's program is the spawner too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "daemon/child/program.h"
#include "daemon/child/spawner.h"

extern struct spawner *spawned_spawner;
extern uv_loop_t spawned_loop;
extern unsigned spawned_n_lost; /* how often the spawner was lost */

/**
 * For the start of main(): whether the program is to be the spawner. Then it has been, and ends
 * with *ret_status.
 */
bool spawned_is_spawner(int argc, char **argv, int *ret_status);

/** Starts the spawner with these commands, and the loop. */
void spawned_begin(const struct program_commands *commands);

/** Turns the loop until the count is there. */
void spawned_wait_for(const _Atomic uint64_t *count, uint64_t at_least);

/** Detaches the spawner; the loop must end by itself. */
void spawned_end(void);

/** The same as the daemon ends: what is still open on the loop is closed. */
void spawned_end_daemon(void);

/** Frees the spawner, after one of both. */
void spawned_free(void);
