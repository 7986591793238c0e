/* SPDX-License-Identifier: MIT */
#include "daemon/worker/worker.h"

#include <stdlib.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/context.h"
#include "daemon/worker/budget.h"
#include "daemon/worker/clients.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/tls_guard.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum {
    SMALL_BODY_MAX = 64 * 1024,
    LARGE_BODY_MAX = 1024 * 1024,
    BODIES_PART = 4,              /* of the memory, a quarter may be held for bodies */
    MEMORY_MIN = 4 * 1024 * 1024, /* of a worker: for a large body, and some handshakes */
    H2O_TIMEOUT_MS = 10000,       /* by the wall clock: a second line behind the deadlines */
    WAKE_UP_MS = 1000,
    SWEEP_MS = 250,
    LOG_RECORDS = 1024,
};

enum message_kind {
    MESSAGE_SWAP,
    MESSAGE_DRAIN,
};

struct message {
    h2o_multithread_message_t super;
    enum message_kind kind;
    struct config *config;
    struct cert_store *store;
    uint64_t drain_until_ms;
};

static uint64_t now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

/* What of a cap over all workers is one's: the kernel spreads connections evenly. */
static size_t share(size_t cap, size_t n_workers)
{
    return (cap + n_workers - 1) / n_workers;
}

static size_t at_least(size_t size, size_t min)
{
    return size > min ? size : min;
}

static void apply_limits(struct worker *worker)
{
    const struct worker_options *options = &worker->options;
    size_t connections_max = worker->config->connections_max, memory_max = options->memory_auto;

    if (connections_max > options->descriptors_max)
        connections_max = options->descriptors_max;
    worker->connections_max = share(connections_max, options->n_workers);
    worker->per_source_max = share(worker->config->per_source_max, options->n_workers);
    if (worker->config->memory_max > 0)
        memory_max = worker->config->memory_max;
    memory_max = at_least(memory_max / options->n_workers, MEMORY_MIN);
    budget_set_max(worker->budget, memory_max);
    budget_set_max(worker->bodies, at_least(memory_max / BODIES_PART, MEMORY_MIN));
    metrics_set(&worker->metrics.memory_max, memory_max);
}

static void swap(struct worker *worker, const struct message *message)
{
    config_unref(worker->config);
    cert_store_unref(worker->store);
    worker->config = message->config;
    worker->store = message->store;
    apply_limits(worker);
    worker->options.on_swapped(worker->options.context);
}

static void drain(struct worker *worker, const struct message *message)
{
    struct connection *connection;

    worker->is_draining = true;
    worker->drain_until_ms = message->drain_until_ms;
    for (size_t i = 0; i < worker->n_listeners; i++) {
        listener_accept_rest(&worker->listeners[i]);
        listener_close(&worker->listeners[i]);
    }
    /* A proxy's connection between two requests would wait for the third. */
    for (connection = worker->connections; connection; connection = connection->next)
        if (connection->n_requests > 0)
            shutdown(h2o_socket_get_fd(connection->sock), SHUT_RD);
}

static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct worker *worker = H2O_STRUCT_FROM_MEMBER(struct worker, receiver, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        struct message *message =
            H2O_STRUCT_FROM_MEMBER(struct message, super.link, messages->next);

        h2o_linklist_unlink(&message->super.link);
        if (message->kind == MESSAGE_SWAP)
            swap(worker, message);
        else
            drain(worker, message);
        free(message);
    }
}

static void init_context(struct worker *worker, struct worker_context *context, size_t body_max)
{
    h2o_globalconf_t *globalconf = &context->globalconf;

    h2o_config_init(globalconf);
    globalconf->server_name = (h2o_iovec_t){NULL, 0};
    globalconf->max_request_entity_size = body_max;
    globalconf->http1.req_timeout = H2O_TIMEOUT_MS;
    /* Without this a PRI * preface switches to h2o 2.2.5's HTTP/2, which a peer can abort. */
    globalconf->http1.upgrade_to_http2 = 0;
    worker->options.register_handlers(
        h2o_config_register_host(globalconf, h2o_iovec_init(H2O_STRLIT("any")), 65535));
    h2o_context_init(&context->super, worker->loop, globalconf);
}

static void done_context(struct worker_context *context)
{
    h2o_context_dispose(&context->super);
    h2o_config_dispose(&context->globalconf);
}

int worker_new(const struct worker_options *options, struct worker **ret_worker, struct err *err)
{
    struct worker *worker = memory_alloc(sizeof(*worker));

    *worker = (struct worker){.options = *options};
    if (tls_context_new(sni_choose_certificate, worker, &worker->ssl_ctx, err) != 0) {
        free(worker);
        return -1;
    }
    tls_guard_set(worker->ssl_ctx);
    worker->config = config_ref(options->config);
    worker->store = cert_store_ref(options->store);
    worker->loop = h2o_evloop_create();
    worker->log =
        log_ring_new(LOG_RECORDS, &clock_system, options->on_log_record, options->context);
    worker->clients = clients_new();
    worker->budget = budget_new();
    worker->bodies = budget_new();
    apply_limits(worker);
    init_context(worker, &worker->small, SMALL_BODY_MAX);
    init_context(worker, &worker->large, LARGE_BODY_MAX);
    sem_init(&worker->takes_messages, 0, 0);
    sem_init(&worker->has_the_last, 0, 0);
    worker->n_listeners = options->n_sockets;
    worker->listeners = memory_alloc((options->n_sockets + 1) * sizeof(*worker->listeners));
    for (size_t i = 0; i < options->n_sockets; i++)
        listener_open(&worker->listeners[i], worker, &options->sockets[i]);
    *ret_worker = worker;
    return 0;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    for (size_t i = 0; i < worker->n_listeners; i++)
        listener_close(&worker->listeners[i]);
    sem_destroy(&worker->takes_messages);
    sem_destroy(&worker->has_the_last);
    done_context(&worker->small);
    done_context(&worker->large);
    h2o_evloop_destroy(worker->loop);
    tls_context_free(worker->ssl_ctx);
    log_ring_free(worker->log);
    clients_free(worker->clients);
    budget_free(worker->budget);
    budget_free(worker->bodies);
    config_unref(worker->config);
    cert_store_unref(worker->store);
    free(worker->listeners);
    free(worker);
}

/* Ends what has not finished in time; h2o then closes it and the loop runs on until it has. */
static void enforce_drain(struct worker *worker)
{
    if (worker->is_draining && now_ms() >= worker->drain_until_ms)
        connections_kill_all(worker, END_DRAINED);
}

static void sweep(struct worker *worker)
{
    if (now_ms() < worker->next_sweep_ms)
        return;
    if (connections_sweep(worker))
        worker->next_sweep_ms = now_ms() + SWEEP_MS;
    for (size_t i = 0; i < worker->n_listeners; i++)
        listener_wake(&worker->listeners[i]);
}

/*
 * An h2o socket takes the buffers that it reads into from a pool of the thread that has made it,
 * without a lock. So a queue is made, read and destroyed in one thread: those of the contexts, made
 * in the control plane's for all workers, would share its pool, and nobody writes to them.
 */
static void open_queue(struct worker *worker)
{
    worker->queue = h2o_multithread_create_queue(worker->loop);
    h2o_multithread_register_receiver(worker->queue, &worker->receiver, on_messages);
    sem_post(&worker->takes_messages);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue; /* EINTR */
}

static void close_queue(struct worker *worker)
{
    wait_for(&worker->has_the_last);
    h2o_multithread_unregister_receiver(worker->queue, &worker->receiver);
    h2o_multithread_destroy_queue(worker->queue);
}

void worker_run(struct worker *worker)
{
    open_queue(worker);
    while (!worker->is_draining || worker->n_connections > 0) {
        /* -1 is EINTR, which is no reason to leave. Only a run that succeeds counts as a turn. */
        if (h2o_evloop_run(worker->loop, WAKE_UP_MS) == 0)
            metrics_count(&worker->metrics.turns);
        connections_end_turn(worker);
        sweep(worker);
        enforce_drain(worker);
        metrics_set(&worker->metrics.memory_bytes, budget_held(worker->budget));
    }
    close_queue(worker);
}

void worker_wait(struct worker *worker)
{
    wait_for(&worker->takes_messages);
}

static struct message *new_message(enum message_kind kind)
{
    struct message *message = memory_alloc(sizeof(*message));

    *message = (struct message){.kind = kind};
    return message;
}

void worker_swap(struct worker *worker, struct config *config, struct cert_store *store)
{
    struct message *message = new_message(MESSAGE_SWAP);

    message->config = config_ref(config);
    message->store = cert_store_ref(store);
    h2o_multithread_send_message(&worker->receiver, &message->super);
}

void worker_drain(struct worker *worker, uint64_t timeout_ms)
{
    struct message *message = new_message(MESSAGE_DRAIN);

    message->drain_until_ms = now_ms() + timeout_ms;
    h2o_multithread_send_message(&worker->receiver, &message->super);
    sem_post(&worker->has_the_last);
}

const struct metrics *worker_metrics(const struct worker *worker)
{
    return &worker->metrics;
}

struct log_ring *worker_log_ring(struct worker *worker)
{
    return worker->log;
}
