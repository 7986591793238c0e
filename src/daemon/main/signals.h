/* SPDX-License-Identifier: MIT */
/**
 * Signals of the process: watched on the loop in the main thread, blocked everywhere else.
 */
#pragma once

#include <signal.h>

struct signals;
struct uv_loop_s;

/** Called on the loop: SIGHUP, SIGTERM or SIGINT. */
typedef void signals_take(void *context, int number);

/**
 * Watches the signals. A SIGHUP that was held back since the start is taken then.
 *
 * Never returns NULL.
 */
struct signals *signals_new(struct uv_loop_s *loop, signals_take *take, void *context);

/** The loop has closed its handles. Takes NULL. */
void signals_free(struct signals *signals);

/**
 * Blocks all signals in the calling thread, and so in those that it makes.
 *
 * ret_before  what was blocked; NULL: not wanted
 */
void signals_block(sigset_t *ret_before);
