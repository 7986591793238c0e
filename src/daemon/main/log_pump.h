/* SPDX-License-Identifier: MIT */
/**
 * The log pump: has the log writer write what the workers leave in their rings, and sum up a second
 * later what it held back. Main thread.
 */
#pragma once

#include <stdint.h>

struct log_pump;
struct log_writer;
struct uv_loop_s;
struct worker_threads;

/**
 * writer     outlives the pump
 * n_dropped  counts the lines that are dropped
 * Never returns NULL.
 */
struct log_pump *log_pump_new(struct uv_loop_s *loop, struct log_writer *writer,
                              _Atomic uint64_t *n_dropped);

/** Takes NULL. The loop has closed all of its handles. */
void log_pump_free(struct log_pump *pump);

/** The rings of these threads are written from now on. */
void log_pump_attach(struct log_pump *pump, struct worker_threads *threads);

/** There is a record in a ring. Any thread. */
void log_pump_notify(struct log_pump *pump);

/** Writes all that there is, and the summary. */
void log_pump_finish(struct log_pump *pump);
