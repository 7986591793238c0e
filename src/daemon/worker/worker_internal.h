/* SPDX-License-Identifier: MIT */
/**
 * The inside of a worker, for the files of http/ that run in its thread.
 */
#pragma once

#include <semaphore.h>
#include <stdatomic.h>

#include <h2o.h>

#include "daemon/worker/listener.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/worker.h"

struct budget;
struct certificate;
struct connection;
struct clients;

/** An h2o context and the configuration that it is made by. */
struct worker_context {
    h2o_context_t super;
    h2o_globalconf_t globalconf;
};

struct worker {
    struct worker_options options;
    h2o_evloop_t *loop;
    struct worker_context small; /* policy hosts: bodies up to 64 kB */
    struct worker_context large; /* report_host: up to 1 MiB */
    SSL_CTX *ssl_ctx;
    struct config *config;
    struct cert_store *store;
    struct listener *listeners;
    size_t n_listeners;
    struct connection *connections; /* oldest first */
    struct connection *due;         /* see connections_end_turn() */
    size_t n_connections;
    size_t n_counted;                       /* of these, not killed yet */
    size_t connections_max, per_source_max; /* this worker's share */
    struct clients *clients;
    struct budget *budget; /* this worker's share of the memory */
    struct budget *bodies; /* of that, for requests with a body */
    uint64_t next_sweep_ms;
    h2o_multithread_queue_t *queue;
    h2o_multithread_receiver_t receiver;
    sem_t takes_messages; /* posted once, by the worker's thread */
    sem_t has_the_last;   /* posted once, when the drain message's sender is done with the queue */
    struct log_ring *log;
    struct metrics metrics;
    bool is_draining;
    uint64_t drain_until_ms;
};

/** Chooses certificate and context by SNI; the callback of the worker's TLS context. */
struct certificate *sni_choose_certificate(void *context, SSL *ssl, const char *server_name);
