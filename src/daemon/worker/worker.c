/* SPDX-License-Identifier: MIT */
#include "daemon/worker/worker.h"

#include <semaphore.h>
#include <stdlib.h>

#include <h2o.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/context.h"
#include "daemon/worker/acceptor.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/listener.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/mailbox.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/snapshot.h"
#include "daemon/worker/sni.h"
#include "daemon/worker/tls_guard.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"

enum {
    BODIES_PART = 4,              /* of the memory, a quarter may be held for bodies */
    MEMORY_MIN = 4 * 1024 * 1024, /* of a worker: for a large body, and some handshakes */
    H2O_TIMEOUT_MS = 60000,       /* by the wall clock: a second line behind the deadlines */
    WAKE_UP_MS = 1000,
    SWEEP_MS = 250,
    LOG_RECORDS = 1024,
};

struct worker_swap_mail {
    struct mail super;
    struct worker *worker;
    struct snapshot snapshot;
};

struct worker_drain_mail {
    struct mail super;
    struct worker *worker;
    uint64_t until_ms;
};

/* An h2o context and the configuration that it is made by. */
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
    struct snapshot snapshot;
    struct sni sni;
    struct connections *connections;
    struct acceptor **acceptors; /* n_sockets of each */
    struct listener **listeners; /* NULL once closed */
    size_t n_sockets;
    uint64_t next_sweep_ms;
    struct mailbox *mailbox;
    sem_t takes_mail; /* posted once, by the worker's thread */
    struct log_ring *log;
    struct metrics metrics;
};

static uint64_t worker_now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

static size_t worker_at_least(size_t size, size_t min)
{
    return size > min ? size : min;
}

static void worker_apply_limits(struct worker *worker)
{
    const struct worker_options *options = &worker->options;
    const struct config *config = worker->snapshot.config;
    struct connection_limits limits = {.connections_max = config->connections_max,
                                       .per_client_max = config->per_source_max};
    size_t memory_max = config->memory_max > 0 ? config->memory_max : options->memory_auto;

    if (limits.connections_max > options->descriptors_max)
        limits.connections_max = options->descriptors_max;
    limits.memory_max = worker_at_least(memory_max / options->n_workers, MEMORY_MIN);
    limits.bodies_max = worker_at_least(limits.memory_max / BODIES_PART, MEMORY_MIN);
    connections_set_limits(worker->connections, &limits);
}

static void worker_on_swap(struct mail *mail, enum mail_fate fate)
{
    struct worker_swap_mail *swap = (struct worker_swap_mail *)mail;
    struct worker *worker = swap->worker;
    struct snapshot old = fate == MAIL_TAKEN ? worker->snapshot : swap->snapshot;

    if (fate == MAIL_TAKEN) {
        worker->snapshot = swap->snapshot;
        worker_apply_limits(worker);
    }
    config_unref(old.config);
    cert_store_unref(old.store);
    free(swap);
    if (fate == MAIL_TAKEN)
        worker->options.on_swapped(worker->options.context);
}

static void worker_on_drain(struct mail *mail, enum mail_fate fate)
{
    struct worker_drain_mail *drain = (struct worker_drain_mail *)mail;
    struct worker *worker = drain->worker;

    for (size_t i = 0; fate == MAIL_TAKEN && i < worker->n_sockets; i++) {
        listener_accept_rest(worker->listeners[i]);
        listener_close(worker->listeners[i]);
        worker->listeners[i] = NULL;
    }
    if (fate == MAIL_TAKEN)
        connections_drain(worker->connections, drain->until_ms);
    free(drain);
}

static void worker_context_init(struct worker *worker, struct worker_context *context,
                                size_t body_max)
{
    h2o_globalconf_t *globalconf = &context->globalconf;
    h2o_hostconf_t *host;

    h2o_config_init(globalconf);
    globalconf->server_name = (h2o_iovec_t){NULL, 0};
    globalconf->max_request_entity_size = body_max;
    globalconf->http1.req_timeout = H2O_TIMEOUT_MS;
    /* Without this a PRI * preface switches to h2o 2.2.5's HTTP/2, which a peer can abort. */
    globalconf->http1.upgrade_to_http2 = 0;
    host = h2o_config_register_host(globalconf, h2o_iovec_init(H2O_STRLIT("any")), 65535);
    worker->options.register_handlers(worker->options.context, host, &worker->snapshot);
    h2o_context_init(&context->super, worker->loop, globalconf);
}

static void worker_context_done(struct worker_context *context)
{
    h2o_context_dispose(&context->super);
    h2o_config_dispose(&context->globalconf);
}

static void worker_open_socket(struct worker *worker, size_t index)
{
    const struct worker_socket *socket = &worker->options.sockets[index];
    /* On a plain listener of policies no SNI says whether a request is for report_host. */
    struct worker_context *context =
        socket->has_tls || socket->serves == SERVES_ADMIN ? &worker->small : &worker->large;
    const struct connection_kind kind = {
        .serves = socket->serves,
        .keeps_alive = socket->keeps_alive,
        .context = &context->super,
        .ssl_ctx = socket->has_tls ? worker->ssl_ctx : NULL,
    };

    worker->acceptors[index] = acceptor_new(worker->connections, &kind, socket);
    worker->listeners[index] =
        listener_open(worker->loop, socket->fd, acceptor_take, worker->acceptors[index]);
}

int worker_new(const struct worker_options *options, struct worker **ret_worker, struct err *err)
{
    struct worker *worker = memory_alloc(sizeof(*worker));
    struct connections_options connections = {
        .clock = &clock_system, .metrics = &worker->metrics, .counts = options->counts};

    *worker = (struct worker){.options = *options, .n_sockets = options->n_sockets};
    if (tls_context_new(sni_choose_certificate, &worker->sni, &worker->ssl_ctx, err) != 0) {
        free(worker);
        return -1;
    }
    tls_guard_set(worker->ssl_ctx);
    worker->snapshot.config = config_ref(options->config);
    worker->snapshot.store = cert_store_ref(options->store);
    worker->loop = h2o_evloop_create();
    worker_context_init(worker, &worker->small, POLICY_HOST_BODY_MAX);
    worker_context_init(worker, &worker->large, REPORT_HOST_BODY_MAX);
    worker->sni = (struct sni){&worker->snapshot, options->loader, &worker->small.super,
                               &worker->large.super};
    worker->log =
        log_ring_new(LOG_RECORDS, &clock_system, options->on_log_record, options->context);
    connections.log = worker->log;
    connections.mailbox = worker->mailbox = mailbox_new();
    worker->connections = connections_new(&connections);
    worker_apply_limits(worker);
    sem_init(&worker->takes_mail, 0, 0);
    worker->acceptors = memory_alloc((worker->n_sockets + 1) * sizeof(struct acceptor *));
    worker->listeners = memory_alloc((worker->n_sockets + 1) * sizeof(struct listener *));
    for (size_t i = 0; i < worker->n_sockets; i++)
        worker_open_socket(worker, i);
    *ret_worker = worker;
    return 0;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    for (size_t i = 0; i < worker->n_sockets; i++) {
        listener_close(worker->listeners[i]);
        acceptor_free(worker->acceptors[i]);
    }
    free(worker->listeners);
    free(worker->acceptors);
    sem_destroy(&worker->takes_mail);
    worker_context_done(&worker->small);
    worker_context_done(&worker->large);
    h2o_evloop_destroy(worker->loop);
    mailbox_unref(worker->mailbox);
    tls_context_free(worker->ssl_ctx);
    connections_free(worker->connections);
    log_ring_free(worker->log);
    config_unref(worker->snapshot.config);
    cert_store_unref(worker->snapshot.store);
    free(worker);
}

static void worker_sweep(struct worker *worker)
{
    if (worker_now_ms() < worker->next_sweep_ms)
        return;
    if (connections_sweep(worker->connections))
        worker->next_sweep_ms = worker_now_ms() + SWEEP_MS;
    for (size_t i = 0; i < worker->n_sockets; i++)
        if (worker->listeners[i])
            listener_wake(worker->listeners[i]);
}

void worker_run(struct worker *worker)
{
    mailbox_open(worker->mailbox, worker->loop);
    sem_post(&worker->takes_mail);
    while (!connections_is_draining(worker->connections) ||
           connections_count(worker->connections) > 0) {
        /* -1 is EINTR, which is no reason to leave. Only a run that succeeds counts as a turn. */
        if (h2o_evloop_run(worker->loop, WAKE_UP_MS) == 0)
            metrics_count(&worker->metrics.turns);
        connections_end_turn(worker->connections);
        worker_sweep(worker);
    }
    mailbox_close(worker->mailbox);
}

void worker_wait(struct worker *worker)
{
    while (sem_wait(&worker->takes_mail) != 0)
        continue; /* EINTR */
}

void worker_swap(struct worker *worker, struct config *config, struct cert_store *store)
{
    struct worker_swap_mail *swap = memory_alloc(sizeof(*swap));

    *swap = (struct worker_swap_mail){
        {.take = worker_on_swap}, worker, {config_ref(config), cert_store_ref(store)}};
    mailbox_send(worker->mailbox, &swap->super);
}

void worker_drain(struct worker *worker, uint64_t timeout_ms)
{
    struct worker_drain_mail *drain = memory_alloc(sizeof(*drain));

    *drain =
        (struct worker_drain_mail){{.take = worker_on_drain}, worker, worker_now_ms() + timeout_ms};
    mailbox_send(worker->mailbox, &drain->super);
}

const struct metrics *worker_metrics(const struct worker *worker)
{
    return &worker->metrics;
}

struct log_ring *worker_log_ring(struct worker *worker)
{
    return worker->log;
}
