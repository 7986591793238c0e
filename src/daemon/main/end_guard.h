/* SPDX-License-Identifier: MIT */
/**
 * The end guard: the process ends, even if a thread hangs in a read and cannot be joined.
 *
 * Made when all that matters is done: connections are closed, the log is written, the files of
 * sockets are removed. What is left frees memory and joins threads.
 */
#pragma once

struct end_guard;

enum {
    END_GUARD_PATIENCE_MS = 1000,
};

/**
 * From now on SIGTERM and SIGINT end the process at once with status 0, and so does the guard's
 * thread after `patience_ms`. Called once, in the main thread, with these signals blocked; unblocks
 * them.
 */
struct end_guard *end_guard_new(unsigned patience_ms);

/** Nothing hangs: the guard's thread is gone; the signals keep their meaning. Takes NULL. */
void end_guard_free(struct end_guard *guard);
