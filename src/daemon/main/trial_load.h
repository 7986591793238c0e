/* SPDX-License-Identifier: MIT */
/**
 * A rehearsal: a configuration is loaded in a child first, so that one that does not fit into
 * memory, or that breaks the loading, ends that child and not the daemon.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct account;
struct config;
struct err;
struct rehearsal;
struct uv_loop_s;

/**
 * For the time before any thread.
 *
 * config       what no child needs: in their copy of the process it is dropped
 * config_path  what is loaded; lives as long as the rehearsal
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int rehearsal_new(struct config *config, const char *config_path, const struct account *account,
                  struct rehearsal **ret_rehearsal, struct err *err);

/**
 * The log is told when none can pass any more. The loop closes the handle, before
 * rehearsal_free(). Main thread.
 */
void rehearsal_watch(struct rehearsal *rehearsal, struct uv_loop_s *loop);

/** Ends the one under way at once; none passes from now on. Main thread, once it is watched. */
void rehearsal_stop(struct rehearsal *rehearsal);

/** Takes NULL. */
void rehearsal_free(struct rehearsal *rehearsal);

/**
 * Whether the configuration can be loaded, right or wrong, beside the one that serves, and within
 * four minutes. If not, prints a sentence that says why. Any thread but the main one: it waits.
 */
bool rehearsal_passes(struct rehearsal *rehearsal, FILE *out);
