/* SPDX-License-Identifier: MIT */
/**
 * The limits of the process: descriptors for connections, stacks of threads. For the time before
 * any thread.
 */
#pragma once

#include <stddef.h>

struct config;
struct err;

/**
 * Raises the limit of descriptors as far as it goes.
 *
 * ret_max  how many connections there can be, beside what the daemon needs to go on
 * Returns 0, or -1 with *err set: ERR_LIMIT (too few for a connection a worker).
 */
int process_limits_raise_descriptors(const struct config *config, size_t n_workers, size_t *ret_max,
                                     struct err *err);

/** Gives each thread the same stack, whatever the shell's limit is. */
void process_limits_set_stacks(void);
