/* SPDX-License-Identifier: MIT */
/**
 * Reading files as the daemon's user: a check that root runs must not find readable what the daemon
 * cannot read.
 */
#pragma once

struct config;

enum {
    RUN_AS_USER_MAX = 64, /* a buffer for run_as_user() */
};

/**
 * Names the user that reads the files, for a message: "'mta-stsd'", or "65532" where it has no
 * name, as in a container. Returns the buffer.
 */
const char *run_as_user(const struct config *config, char buffer[static RUN_AS_USER_MAX]);

/**
 * Takes the effective ids and groups of the configuration's `user`, to which a daemon started by
 * root changes. Does nothing if the process is not root's or the user does not exist. Global to the
 * process; call it while there is only one thread.
 */
void run_as_begin(const struct config *config);

/** Returns to the ids and groups before run_as_begin(). */
void run_as_end(void);
