/* SPDX-License-Identifier: MIT */
/**
 * The spawner: a small process that starts other programs for the daemon, whose sandbox forbids it.
 *
 * It is forked before threads and sandbox, runs as the daemon's user without capabilities, and
 * holds no socket, no log and no key. It ends when the daemon ends, however that comes about, and
 * ends its children then. The daemon's side runs on the control plane's loop and never waits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/child/program.h"

struct account;
struct err;
struct spawned;
struct spawner;
struct uv_loop_s;

struct spawn_request {
    enum program program;
    const char *const *args; /* after those that the program always gets */
    size_t n_args;
    int fds[3];          /* standard input, output and error; -1: /dev/null */
    uint64_t memory_max; /* bytes of address space; 0: no limit */
    unsigned timeout_ms; /* a child that takes longer is killed */
};

enum spawn_outcome {
    SPAWN_EXITED,    /* code: the exit status */
    SPAWN_SIGNALLED, /* code: the signal */
    SPAWN_TIMED_OUT, /* code: 0 */
    SPAWN_FAILED,    /* code: errno; the program cannot be started (ENOENT: nor is it where it is
                        not configured), or the spawner has ended */
};

struct spawn_end {
    enum spawn_outcome outcome;
    int code;
};

/** Called once for each child that was started and not cancelled, on the loop. */
typedef void spawn_done(void *context, const struct spawn_end *end);

/** Called once if the spawner ends before the daemon, after the spawn_done of its children. */
typedef void spawner_lost(void *context);

/**
 * Starts the spawner. For the time before any thread; from then on the kernel reaps the process's
 * children.
 *
 * account   who the spawner becomes
 * commands  what it starts beside mta-stsd itself; nothing is added later
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int spawner_new(const struct account *account, const struct program_commands *commands,
                struct spawner **ret_spawner, struct err *err);

/** Begins to listen to the spawner. Once, before the first spawner_start(). */
void spawner_attach(struct spawner *spawner, struct uv_loop_s *loop, spawner_lost *on_lost,
                    void *context);

/**
 * Starts a child with an environment like the daemon's. Its priority is low, and the kernel takes
 * it first where memory runs out.
 *
 * request  its descriptors are copied and stay the caller's
 * Returns the child, which belongs to the spawner and is gone after `done`; or NULL with *err set:
 * ERR_IO (there is no spawner any more, or it does not read), ERR_LIMIT (too long arguments).
 */
struct spawned *spawner_start(struct spawner *spawner, const struct spawn_request *request,
                              spawn_done *done, void *context, struct err *err);

/** Kills a child and those that it has started; `done` is not called. */
void spawner_cancel(struct spawned *spawned);

/** Cancels all children and ends the spawner. The loop must run until its handles are closed. */
void spawner_detach(struct spawner *spawner);

/** Takes NULL. If it was attached: after spawner_detach() and the loop. */
void spawner_free(struct spawner *spawner);
