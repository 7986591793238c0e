/* SPDX-License-Identifier: MIT */
/**
 * Workers: a thread that serves, on an h2o loop of its own, from one snapshot at a time.
 *
 * The control plane makes a worker, runs it in a thread and sends it messages; every other function
 * is safe from the control plane's thread only, unless it says otherwise.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/worker/worker_socket.h"

struct cert_loader;
struct cert_store;
struct config;
struct connection_counts;
struct err;
struct log_ring;
struct metrics;
struct snapshot;
struct st_h2o_hostconf_t;
struct worker;

/**
 * Gives an h2o host, which takes all names and paths, its handlers.
 *
 * snapshot  what serves, now and at each request; lives as long as the host
 */
typedef void worker_register(void *context, struct st_h2o_hostconf_t *host,
                             const struct snapshot *snapshot);

/** Called in the worker's thread. Must not block. */
typedef void worker_notify(void *context);

/** How large the body of a request may be, in bytes: where the SNI tells them apart, h2o refuses a
 * larger one before it is read. */
enum {
    POLICY_HOST_BODY_MAX = 64 * 1024,
    REPORT_HOST_BODY_MAX = 1024 * 1024,
};

struct worker_options {
    struct config *config; /* the worker takes references of its own */
    struct cert_store *store;
    struct cert_loader *loader;       /* lives as long as the worker, as do the counts */
    struct connection_counts *counts; /* of the n_workers */
    size_t n_workers;                 /* that share the caps and the memory */
    size_t descriptors_max; /* that all connections may take, whatever the configuration allows */
    size_t memory_auto;     /* bytes that all may hold unless the configuration says */
    const struct worker_socket *sockets;
    size_t n_sockets;
    worker_register *register_handlers;
    worker_notify *on_swapped; /* the snapshot sent by worker_swap() is in use, the old one not */
    worker_notify *on_log_record; /* there is a record in the log ring */
    void *context;                /* of the three */
};

/** Returns 0, or -1 with *err set: ERR_CRYPTO. */
int worker_new(const struct worker_options *options, struct worker **ret_worker, struct err *err);

/** After its thread has ended, or before one has begun. Takes NULL. */
void worker_free(struct worker *worker);

/** The thread: serves until worker_drain() is through. */
void worker_run(struct worker *worker);

/** Waits until worker_run() takes messages; called once, before the first. */
void worker_wait(struct worker *worker);

/** Asks the worker to serve from these from now on; it takes references of its own. */
void worker_swap(struct worker *worker, struct config *config, struct cert_store *store);

/**
 * Asks the worker to take in what waits, to accept nothing more, to finish what runs, for
 * `timeout_ms` at most, and to leave worker_run(). The last message; called once.
 */
void worker_drain(struct worker *worker, uint64_t timeout_ms);

/** What the worker counts. Safe from any thread until worker_free(). */
const struct metrics *worker_metrics(const struct worker *worker);

/** What the worker has to tell; the caller is its only consumer. */
struct log_ring *worker_log_ring(struct worker *worker);
