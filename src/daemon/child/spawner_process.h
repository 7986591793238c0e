/* SPDX-License-Identifier: MIT */
/**
 * The spawner's own process: starts what the daemon asks for, and tells how it ended.
 */
#pragma once

#include <stddef.h>

enum {
    SPAWNER_SOCKET_FD = 3,  /* to the daemon */
    SPAWNER_PROGRAM_FD = 4, /* mta-stsd itself, which an upgrade may have replaced on disk */
};

/**
 * argv  how PROGRAM_SPAWNER was called: what follows is program_commands_parse()'s
 *
 * Runs until the daemon closes its end of the socket, then kills the children and ends the process.
 * Both descriptors are open.
 *
 * Returns the exit status of a process that cannot even begin.
 */
int spawner_process_run(const char *const *argv, size_t n_argv);
