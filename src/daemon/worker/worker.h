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
#include <stdio.h>

#include "lib/config/config.h"

struct cert_reader;
struct cert_store;
struct err;
struct log_ring;
struct metrics;
struct network;
struct st_h2o_hostconf_t;
struct worker;

/** Gives an h2o host, which takes all names and paths, its handlers. */
typedef void worker_register(struct st_h2o_hostconf_t *host);

/** Called in the worker's thread. Must not block. */
typedef void worker_notify(void *context);

/**
 * Prints what the admin listener has at `path`, in the worker's thread.
 *
 * ret_type  static; the media type, untouched if it is plain text
 * Returns the HTTP status: 200, 404 or 503.
 */
typedef int worker_admin(void *context, struct slice path, const char **ret_type, FILE *out);

/** A listening socket; the descriptor is the worker's from now on. */
struct worker_socket {
    int fd;
    bool has_tls;
    bool keeps_alive; /* a proxy on a unix socket sends many requests over one connection */
    bool has_proxy_protocol;
    const struct network *trusted; /* TCP: who may send its headers; the worker copies them */
    size_t n_trusted;
};

struct worker_options {
    struct config *config; /* the worker takes references of its own */
    struct cert_store *store;
    struct cert_reader *reader; /* lives as long as the worker */
    size_t n_workers;           /* that share the caps */
    size_t descriptors_max;     /* that connections may take, whatever the configuration allows */
    size_t memory_auto;         /* bytes that connections may hold unless the configuration says */
    const struct worker_socket *sockets;
    size_t n_sockets;
    worker_register *register_handlers;
    worker_admin *admin;       /* NULL: a worker that serves policies */
    worker_notify *on_swapped; /* the snapshot sent by worker_swap() is in use, the old one not */
    worker_notify *on_log_record; /* there is a record in the log ring */
    void *context;
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

/** What the worker counts. Safe from any thread, as long as the worker is there. */
const struct metrics *worker_metrics(const struct worker *worker);

/** What the worker has to tell; the caller is its only consumer. */
struct log_ring *worker_log_ring(struct worker *worker);
