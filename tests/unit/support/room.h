/* SPDX-License-Identifier: MIT */
/**
 * A room: what one worker's connections need around them, with a clock of the test's own, and peers
 * at the other end of socket pairs.
 *
 * What cannot be made fails the running cmocka test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <h2o.h>

#include "daemon/worker/connection.h"
#include "daemon/worker/snapshot.h"
#include "lib/base/clock.h"

struct log_record;
struct mailbox;
struct prefix;

struct room {
    struct clock clock; /* first: it is found from there */
    uint64_t now_ms;    /* of both its clocks */
    h2o_evloop_t *loop;
    h2o_globalconf_t globalconf;
    h2o_context_t context;
    struct snapshot snapshot; /* the test's own */
    struct metrics metrics;
    struct log_ring *log;
    struct mailbox *mailbox;
    struct connection_counts *counts;
    bool owns_counts;
    struct connections *connections;
    struct connection_kind kind; /* of new connections: plain, for policies */
};

/** Gives the room's host its handlers; NULL: it has none. */
typedef void room_register(h2o_hostconf_t *host, struct room *room);

/**
 * Makes a room, in which a second has passed since the clock's zero.
 *
 * counts  shared with other rooms, which are other workers then; NULL: its own
 */
void room_open(struct room *room, struct connection_counts *counts, room_register *reg);

/** Ends the connections that are left, and frees all. */
void room_close(struct room *room);

/** A socket of the room's loop; *ret_peer is the other end, blocking. */
h2o_socket_t *room_socket(struct room *room, int *ret_peer);

/**
 * Opens a connection, in no phase yet, to such a peer.
 *
 * address  a numeric one to count it by; NULL: none
 * Returns NULL if it was refused.
 */
struct connection *room_connect(struct room *room, const char *address, int *ret_peer);

/** Lets the loop turn until there is nothing to do; the connections' end of a turn comes after. */
void room_run(struct room *room);

/** Whether the peer's connection has ended. */
bool room_is_ended(int peer);

/** Sends all octets. */
void room_send(int peer, const char *text);

/** What has come at the peer's end, up to `size` - 1 octets, NUL-terminated. */
void room_receive(struct room *room, int peer, char *buffer, size_t size);

/** Takes the oldest record from the log; false: there is none. */
bool room_take_record(struct room *room, struct log_record *ret_record);
