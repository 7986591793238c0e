/* SPDX-License-Identifier: MIT */
/**
 * Messages between the daemon and its spawner: datagrams on a socket pair.
 *
 * Both sides are the same build of the same program, so a message is a struct.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/child/program.h"
#include "daemon/child/spawner.h"

enum {
    SPAWN_ARGS_SIZE = 4096 * 2, /* of all arguments of a child, with their NULs */
    SPAWN_ARGS_MAX = 32,
    SPAWN_CHILDREN_MAX = 64, /* at once; so many answers fit into the socket's buffer */
    SPAWN_FDS = 3,
};

enum spawn_message_kind {
    SPAWN_START,
    SPAWN_CANCEL, /* kills the child and those that it has started */
};

/**
 * From the daemon, as long as spawn_message_len() says. The descriptors of SPAWN_START come with
 * it, in order, without gaps.
 */
struct spawn_message {
    enum spawn_message_kind kind;
    uint32_t id; /* the daemon's own, of a child */
    enum program program;
    uint64_t memory_max; /* bytes of address space; 0: no limit */
    bool has_fd[SPAWN_FDS];
    size_t args_len;
    char args[SPAWN_ARGS_SIZE]; /* each ends in a NUL */
};

static inline size_t spawn_message_len(const struct spawn_message *message)
{
    return offsetof(struct spawn_message, args) + message->args_len;
}

/** To the daemon: a child has ended. */
struct spawn_answer {
    uint32_t id;
    struct spawn_end end;
};
