/* SPDX-License-Identifier: MIT */
/**
 * `on_change:`: runs the operator's program with the DNS records that differ from those that the
 * program has accepted.
 *
 * After each look that finds differences the spawner starts the program, with the document of
 * lib/state/published.h on its standard input. Exit status 0 means that it has accepted the
 * records; after anything else it is run again, with what differs by then, at intervals that
 * double from ON_CHANGE_RETRY_MS to ON_CHANGE_RETRY_MAX_MS. There is a look every
 * ON_CHANGE_LOOK_MS too, since records may be deleted once some time has passed.
 *
 * Main thread but for on_change_look(). All functions take NULL, for a configuration without it.
 */
#pragma once

#include <stdint.h>

struct config;
struct on_change;
struct server_stats;
struct spawner;
struct state_keeper;
struct uv_loop_s;

enum {
    ON_CHANGE_RETRY_MS = 10 * 1000,
    ON_CHANGE_RETRY_MAX_MS = 60 * 60 * 1000,
    ON_CHANGE_LOOK_MS = 60 * 60 * 1000,
};

struct on_change_options {
    struct uv_loop_s *loop;
    struct spawner *spawner;      /* attached before the first look */
    struct state_keeper *keeper;  /* NULL: the state directory cannot be used */
    struct config *const *config; /* that serves at the time of the look */
    struct server_stats *stats;   /* counts the runs */
    unsigned retry_ms, look_ms;
};

/**
 * Returns NULL if the configuration runs no program, or, after a line in the log, if there is no
 * state keeper.
 */
struct on_change *on_change_new(const struct on_change_options *options);

/** Looks for differences, after the look or the run that is under way. Safe from any thread. */
void on_change_look(struct on_change *on_change);

/**
 * The daemon ends: nothing is started any more. A program that runs is the spawner's to end, by
 * spawner_detach(), which comes next.
 */
void on_change_stop(struct on_change *on_change);

/** After on_change_stop(), when the loop has ended. */
void on_change_free(struct on_change *on_change);
