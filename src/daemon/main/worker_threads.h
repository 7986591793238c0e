/* SPDX-License-Identifier: MIT */
/**
 * The workers' threads: started together, sent the same messages, joined at the end.
 *
 * Main thread, but for the callback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cert_store;
struct config;
struct err;
struct log_ring;
struct metrics;
struct worker;
struct worker_options;
struct worker_threads;

/** Called in a worker's thread, when it leaves its loop. */
typedef void worker_threads_ended(void *context);

/** n_max: workers that can be added. Never returns NULL. */
struct worker_threads *worker_threads_new(size_t n_max, worker_threads_ended *ended, void *context);

/** Frees the workers. Takes NULL. No thread runs. */
void worker_threads_free(struct worker_threads *threads);

/** Adds a worker. Returns 0, or -1 with *err set as by worker_new(). */
int worker_threads_add(struct worker_threads *threads, const struct worker_options *options,
                       struct err *err);

/** How many workers were added. */
size_t worker_threads_count(const struct worker_threads *threads);

/**
 * Starts all, without signals: h2o's loop takes EINTR for an error.
 * Returns 0, or -1 with *err set: ERR_IO (and none runs).
 */
int worker_threads_start(struct worker_threads *threads, struct err *err);

/** worker_swap() and worker_drain() of all. */
void worker_threads_swap(struct worker_threads *threads, struct config *config,
                         struct cert_store *store);
void worker_threads_drain(struct worker_threads *threads, uint64_t timeout_ms);

/** Whether every worker has left its loop. */
bool worker_threads_have_ended(const struct worker_threads *threads);

/** Waits for the threads' ends. */
void worker_threads_join(struct worker_threads *threads);

/** Of worker `i`. Safe from any thread until worker_threads_free(). */
const struct metrics *worker_threads_metrics(const struct worker_threads *threads, size_t i);

/** Of worker `i`; the caller is the only consumer. */
struct log_ring *worker_threads_log_ring(struct worker_threads *threads, size_t i);

/** How often the loop of worker `i` has turned; a liveness_count_turns. */
bool worker_threads_count_turns(void *context, size_t i, uint64_t *ret_turns);
