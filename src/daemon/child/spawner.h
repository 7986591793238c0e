/* SPDX-License-Identifier: MIT */
/**
 * The spawner: a small process that starts children for the daemon, which no longer can.
 *
 * Forked before threads and sandbox, it has the rights of the daemon's user and no capability. It
 * holds no socket, no log and no key. It, its children and theirs end when the daemon does, however
 * that comes about.
 */
#pragma once

#include <stdint.h>

struct account;
struct err;
struct spawner;

/** What its children do, in a copy of the process as it was at spawner_new(). */
struct spawner_work {
    void (*prepare)(void *context); /* once, in the spawner: drops what no child needs */
    /* In a child; returns its exit status. Standard input, output and error are /dev/null. */
    int (*run)(void *context, uint64_t argument);
    void *context;
};

/**
 * For the time before any thread. From now on the kernel reaps the process's children.
 *
 * ret_spawner  ended by spawner_free()
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int spawner_new(const struct spawner_work *work, const struct account *account,
                struct spawner **ret_spawner, struct err *err);

/** A descriptor that can be read once the spawner has ended; nothing else is to be done with it. */
int spawner_socket(const struct spawner *spawner);

/**
 * Ends it, and the children with it; spawner_run() starts none from now on, and one that waits
 * returns. Any thread.
 */
void spawner_stop(struct spawner *spawner);

/** Takes NULL. */
void spawner_free(struct spawner *spawner);

/**
 * Starts a child and waits for its end. Any thread; children of several run side by side.
 *
 * timeout_ms  a child that takes longer is killed
 * ret_status  as from waitpid()
 * Returns 0, or -1 with *err set: ERR_IO (there was no child: the spawner has ended, or cannot
 * fork; or spawner_stop() was called), ERR_LIMIT (the time is up; a spawner that stands still is
 * not waited for longer).
 */
int spawner_run(struct spawner *spawner, uint64_t argument, unsigned timeout_ms, int *ret_status,
                struct err *err);
