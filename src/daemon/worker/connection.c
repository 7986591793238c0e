/* SPDX-License-Identifier: MIT */
#include "daemon/worker/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <h2o/http1.h>
#include <openssl/err.h>
#include <utlist.h>

#include "daemon/tls/certificate.h"
#include "daemon/worker/clients.h"
#include "daemon/worker/connection_counts.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/peer.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum {
    ENDS_PER_SWEEP = 64, /* each costs microseconds: thousands at once would hold up the rest */
};

struct connections {
    struct connections_options options;
    struct connection_limits limits;
    struct clients *clients;
    struct budget *budget;
    struct connection *list;     /* oldest first */
    struct connection *turn_end; /* see connections_end_turn() */
    size_t n_open;
    size_t n_counted;      /* of these, not ending */
    size_t body_bytes;     /* that those that are not ending hold for requests with a body */
    size_t all_body_bytes; /* that all hold: h2o frees it when it gets to those that end */
    bool is_draining;
    uint64_t drain_until_ms;
};

/* Milliseconds that a phase may last. */
static const uint64_t phase_ms[PHASE_COUNT] = {
    [PHASE_HEADER] = 5000, [PHASE_HANDSHAKE] = 5000, [PHASE_REQUEST] = 5000,
    [PHASE_BODY] = 30000,  [PHASE_WAIT] = 10000,     [PHASE_ANSWER] = 10000,
};

static const enum end_reason deadline_reasons[PHASE_COUNT] = {
    [PHASE_HEADER] = END_HANDSHAKE, [PHASE_HANDSHAKE] = END_HANDSHAKE,
    [PHASE_REQUEST] = END_REQUEST,  [PHASE_BODY] = END_REQUEST,
    [PHASE_WAIT] = END_ANSWER,      [PHASE_ANSWER] = END_ANSWER,
};

#define CONTINUE_TEXT "HTTP/1.1 100 Continue\r\n\r\n"

struct connections *connections_new(const struct connections_options *options)
{
    struct connections *connections = memory_alloc(sizeof(*connections));

    *connections = (struct connections){
        .options = *options,
        .limits = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX},
        .clients = clients_new(options->counts),
        .budget = budget_new(),
    };
    return connections;
}

void connections_free(struct connections *connections)
{
    if (!connections)
        return;
    clients_free(connections->clients);
    budget_free(connections->budget);
    free(connections);
}

void connections_set_limits(struct connections *connections, const struct connection_limits *limits)
{
    connections->limits = *limits;
    budget_set_max(connections->budget, limits->memory_max);
    metrics_set(&connections->options.metrics->memory_max, limits->memory_max);
}

size_t connections_count(const struct connections *connections)
{
    return connections->n_open;
}

struct metrics *connections_metrics(struct connections *connections)
{
    return connections->options.metrics;
}

struct mailbox *connections_mailbox(struct connections *connections)
{
    return connections->options.mailbox;
}

bool connections_is_draining(const struct connections *connections)
{
    return connections->is_draining;
}

void connections_log(struct connections *connections, h2o_socket_t *sock, struct log_record *record)
{
    peer_print(sock, record->peer, sizeof(record->peer));
    log_ring_push(connections->options.log, record);
}

void connections_refuse(struct connections *connections, h2o_socket_t *sock, enum end_reason reason)
{
    metrics_count(&connections->options.metrics->ends[reason]);
    h2o_socket_close(sock);
}

static uint64_t connections_now_ms(const struct connections *connections)
{
    const struct clock *clock = connections->options.clock;

    return clock->monotonic_ms(clock);
}

/* From here on the connection counts for no cap. */
static void connection_uncount(struct connection *connection)
{
    struct connections *connections = connection->connections;

    if (connection->is_ending)
        return;
    connection->is_ending = true;
    budget_release(connections->budget, &connection->share);
    connections->body_bytes -= connection->body_bytes;
    connections->n_counted--;
    connection_counts_remove(connections->options.counts);
    if (connection->client) {
        DL_DELETE2(connection->client->connections, connection, client_prev, client_next);
        clients_leave(connections->clients, connection->client);
    }
}

static void connection_join_client(struct connection *connection, struct client_network *client)
{
    connection->client = client;
    if (!client)
        return;
    connection->share.n_of_client = &client->n_connections;
    DL_APPEND2(client->connections, connection, client_prev, client_next);
}

/* h2o answers what it cannot parse by itself, with 400, and tells nobody; its 413 is told. */
static bool connection_was_answered_by_h2o(const struct connection *connection)
{
    return connection->n_answered == 0 &&
           (connection->phase == PHASE_REQUEST || connection->phase == PHASE_BODY) &&
           connection->sock->bytes_written > strlen(CONTINUE_TEXT);
}

static void connection_count_end(struct connection *connection)
{
    struct metrics *metrics = connection->connections->options.metrics;

    if (connection->phase == PHASE_HANDSHAKE && !connection->is_refused)
        metrics_count(&metrics->handshakes[HANDSHAKE_FAILED]);
    if (connection_was_answered_by_h2o(connection))
        metrics_count_request(metrics, 400);
    if (!connection->is_ending)
        connection->end_reason = connection->n_requests > 0 ? END_ANSWERED : END_PEER;
    metrics_count(&metrics->ends[connection->end_reason]);
}

/* A unix socket has no such option, and needs none. */
static void connection_set_tcp_option(const struct connection *connection, int option)
{
    static const int on = 1;

    setsockopt(h2o_socket_get_fd(connection->sock), IPPROTO_TCP, option, &on, sizeof(on));
}

static void connection_join_turn_end(struct connection *connection)
{
    if (!connection->is_in_turn_end)
        DL_APPEND2(connection->connections->turn_end, connection, turn_prev, turn_next);
    connection->is_in_turn_end = true;
}

static void connection_leave_turn_end(struct connection *connection)
{
    if (connection->is_in_turn_end)
        DL_DELETE2(connection->connections->turn_end, connection, turn_prev, turn_next);
    connection->is_in_turn_end = false;
}

static void connection_on_close(void *data)
{
    struct connection *connection = data;
    struct connections *connections = connection->connections;

    connection_count_end(connection);
    connection_uncount(connection);
    connections->all_body_bytes -= connection->body_bytes;
    connection_leave_turn_end(connection);
    DL_DELETE(connections->list, connection);
    connections->n_open--;
    certificate_unref(connection->certificate);
    free(connection);
}

void connection_end_later(struct connection *connection, enum end_reason reason)
{
    if (connection->is_ending)
        return;
    connection->end_reason = reason;
    connection_uncount(connection);
    shutdown(h2o_socket_get_fd(connection->sock), SHUT_RDWR);
}

void connection_end_now(struct connection *connection, enum end_reason reason)
{
    connection_end_later(connection, reason);
    h2o_socket_close(connection->sock);
}

void connection_end(struct connection *connection, enum end_reason reason)
{
    if (connection->is_ending)
        return;
    /* h2o does not listen to the peer now, and would not see that the socket is shut down. */
    if (connection->phase == PHASE_WAIT)
        connection->give_up(connection->give_up_context);
    else if (connection->is_handed_over)
        connection_end_later(connection, reason);
    else
        connection_end_now(connection, reason);
    ERR_clear_error(); /* of SSL_shutdown(): not of the handshake that this was done for */
}

/* The request of such a connection is whole: it is left alone, and nothing of it grows. */
static bool phase_is_pinned(enum connection_phase phase)
{
    return phase == PHASE_WAIT || phase == PHASE_ANSWER;
}

static bool connection_may_be_evicted(const struct connection *connection)
{
    return !connection->is_ending && !phase_is_pinned(connection->phase);
}

static bool connections_evict_oldest(struct connections *connections)
{
    struct connection *connection;

    DL_FOREACH (connections->list, connection) {
        if (!connection_may_be_evicted(connection))
            continue;
        connection_end(connection, END_EVICTED);
        return true;
    }
    return false;
}

static bool connections_evict_oldest_of(struct connections *connections,
                                        struct client_network *client)
{
    struct connection *connection;

    DL_FOREACH2 (client->connections, connection, client_next) {
        if (!connection_may_be_evicted(connection))
            continue;
        if (client->count)
            client_count_strike(client->count, connections_now_ms(connections));
        connection_end(connection, END_EVICTED);
        return true;
    }
    return false;
}

/*
 * The client's count has the new connection already. Handshakes that are evicted unfinished cost
 * more than what is closed at once, so a client that goes on with them is barred for a while.
 */
static bool connections_admit_client(struct connections *connections, struct client_network *client)
{
    if (!client)
        return true;
    if (client->count && client_count_is_barred(client->count, connections_now_ms(connections)))
        return false;
    return client_network_total(client) <= connections->limits.per_client_max ||
           connections_evict_oldest_of(connections, client);
}

/* Counts the new connection, unless there is no room for it. */
static bool connections_admit(struct connections *connections)
{
    struct connection_counts *counts = connections->options.counts;

    if (connection_counts_add(counts) <= connections->limits.connections_max ||
        connections_evict_oldest(connections))
        return true;
    if (connections->n_counted > 0) { /* all of them are being answered */
        connection_counts_remove(counts);
        return false;
    }
    connection_counts_borrow(counts);
    return true;
}

/* Another worker has taken a connection beyond the cap: one of this worker's goes for it. */
static void connections_repay(struct connections *connections)
{
    struct connection_counts *counts = connections->options.counts;

    while (connection_counts_total(counts) > connections->limits.connections_max &&
           connections->n_counted > 1 && connection_counts_repay(counts)) {
        if (connections_evict_oldest(connections))
            continue;
        connection_counts_borrow(counts);
        return;
    }
}

struct connection *connection_open(struct connections *connections,
                                   const struct connection_kind *kind, h2o_socket_t *sock,
                                   const struct sockaddr *client_address)
{
    struct client_network *client = NULL;
    struct connection *connection;

    if (client_address)
        client =
            clients_enter(connections->clients, client_address, connections_now_ms(connections));
    if (!connections_admit_client(connections, client) || !connections_admit(connections)) {
        clients_leave(connections->clients, client);
        connections_refuse(connections, sock, END_REFUSED);
        return NULL;
    }
    connection = memory_alloc(sizeof(*connection));
    *connection = (struct connection){
        .connections = connections,
        .kind = kind,
        .sock = sock,
        .accept_ctx = {.ctx = kind->context,
                       .hosts = kind->context->globalconf->hosts,
                       .ssl_ctx = kind->ssl_ctx},
    };
    sock->on_close.cb = connection_on_close;
    sock->on_close.data = connection;
    DL_APPEND(connections->list, connection);
    connections->n_open++;
    connections->n_counted++;
    connection_join_client(connection, client);
    connection_hold(connection, COST_CONNECTION);
    return connection;
}

bool connection_set_client(struct connection *connection, struct sockaddr *address, socklen_t len)
{
    struct connections *connections = connection->connections;
    struct client_network *client =
        clients_enter(connections->clients, address, connections_now_ms(connections));

    h2o_socket_setpeername(connection->sock, address, len);
    if (!connections_admit_client(connections, client)) {
        clients_leave(connections->clients, client);
        return false;
    }
    connection_join_client(connection, client);
    return true;
}

struct connection *connection_of_socket(h2o_socket_t *sock)
{
    return sock->on_close.data;
}

struct connection *connection_of_request(const h2o_req_t *req)
{
    return connection_of_socket(req->conn->callbacks->get_socket(req->conn));
}

struct connection *connection_of_ssl(const SSL *ssl)
{
    /* h2o 2.2.5 reads and writes through a BIO of its own, whose data is the socket. */
    return connection_of_socket(BIO_get_data(SSL_get_rbio(ssl)));
}

static struct connection *connections_find_victim(const struct connections *connections)
{
    struct budget_share *share = NULL;

    if (budget_is_exceeded(connections->budget))
        share = budget_victim(connections->budget, connections_now_ms(connections));
    return share ? H2O_STRUCT_FROM_MEMBER(struct connection, share, share) : NULL;
}

void connection_hold(struct connection *connection, size_t bytes)
{
    struct connections *connections = connection->connections;
    struct connection *victim;

    if (connection->is_ending)
        return;
    budget_hold(connections->budget, &connection->share, bytes, connections_now_ms(connections));
    while ((victim = connections_find_victim(connections)))
        if (victim == connection)
            connection_end_later(victim, END_MEMORY);
        else
            connection_end(victim, END_MEMORY);
}

void connection_hold_request(struct connection *connection, size_t more)
{
    const h2o_buffer_t *input = connection->sock->input;
    size_t bytes = COST_CONNECTION + more;

    if (connection->kind->ssl_ctx)
        bytes += COST_TLS;
    if (input->size > 0)
        bytes += input->capacity;
    connection_hold(connection, bytes);
}

/* The oldest of those whose bodies are awaited make room for `more` bytes: they are slow. */
static void connections_evict_bodies(struct connections *connections, size_t more)
{
    const size_t max = connections->limits.bodies_max;
    struct connection *connection, *next;

    DL_FOREACH_SAFE (connections->list, connection, next) {
        if (more > max || connections->body_bytes <= max - more)
            return;
        if (connection->body_bytes > 0 && !phase_is_pinned(connection->phase))
            connection_end(connection, END_EVICTED);
    }
}

static bool connections_hold_many_bodies(const struct connections *connections)
{
    return connections->body_bytes > connections->limits.bodies_max ||
           connections->all_body_bytes / 2 > connections->limits.bodies_max;
}

void connection_hand_over(struct connection *connection, size_t body_bytes)
{
    struct connections *connections = connection->connections;

    if (!connection->is_ending && body_bytes > 0) {
        connections_evict_bodies(connections, body_bytes);
        connection->body_bytes = body_bytes;
        connections->body_bytes += body_bytes;
        connections->all_body_bytes += body_bytes;
    }
    if (connection->is_ending || (body_bytes > 0 && connections_hold_many_bodies(connections))) {
        connection_end_now(connection, END_MEMORY);
        return;
    }
    connection->is_handed_over = true;
    h2o_http1_accept(&connection->accept_ctx, connection->sock,
                     *h2o_get_timestamp(connection->accept_ctx.ctx, NULL, NULL));
}

void connection_enter(struct connection *connection, enum connection_phase phase)
{
    struct connections *connections = connection->connections;

    if (phase_is_pinned(phase))
        budget_pin(connections->budget, &connection->share);
    else if (phase_is_pinned(connection->phase))
        connection_hold_request(connection, COST_REQUEST);
    connection->phase = phase;
    connection->deadline_ms = connections_now_ms(connections) + phase_ms[phase];
}

void connection_wait(struct connection *connection, connection_give_up *give_up, void *context)
{
    connection->give_up = give_up;
    connection->give_up_context = context;
    connection_enter(connection, PHASE_WAIT);
}

void connection_handshake_done(struct connection *connection)
{
    /* Once: whatever OpenSSL says later must not give the request more time. */
    if (connection->phase != PHASE_HANDSHAKE)
        return;
    connection_join_turn_end(connection);
    metrics_count(&connection->connections->options.metrics->handshakes[HANDSHAKE_OK]);
    connection_enter(connection, PHASE_REQUEST);
}

void connection_close_notified(struct connection *connection)
{
    connection->is_half_closed = true;
    if (connection->phase == PHASE_REQUEST || connection->phase == PHASE_BODY)
        connection_join_turn_end(connection);
}

void connection_cork(struct connection *connection)
{
    connection_leave_turn_end(connection);
    connection_set_tcp_option(connection, TCP_CORK);
}

static void connections_end_all(struct connections *connections, enum end_reason reason)
{
    struct connection *connection, *next;

    DL_FOREACH_SAFE (connections->list, connection, next)
        connection_end(connection, reason);
}

void connections_end_turn(struct connections *connections)
{
    struct connection *connection;

    while ((connection = connections->turn_end)) {
        connection_leave_turn_end(connection);
        if (connection->is_half_closed)
            connection_end(connection, END_PEER);
        else
            connection_set_tcp_option(connection, TCP_QUICKACK);
    }
    if (connections->is_draining && connections_now_ms(connections) >= connections->drain_until_ms)
        connections_end_all(connections, END_DRAINED);
    metrics_set(&connections->options.metrics->memory_bytes, budget_held(connections->budget));
}

bool connections_sweep(struct connections *connections)
{
    uint64_t now_ms = connections_now_ms(connections);
    unsigned n_ended = 0;
    struct connection *connection, *next;

    connections_repay(connections);
    DL_FOREACH_SAFE (connections->list, connection, next) {
        if (connection->is_ending || now_ms < connection->deadline_ms)
            continue;
        connection_end(connection, deadline_reasons[connection->phase]);
        if (++n_ended == ENDS_PER_SWEEP)
            return false;
    }
    return true;
}

void connections_drain(struct connections *connections, uint64_t until_ms)
{
    struct connection *connection;

    connections->is_draining = true;
    connections->drain_until_ms = until_ms;
    /* A proxy's connection between two requests would wait for the third. */
    DL_FOREACH (connections->list, connection)
        if (connection->n_requests > 0)
            shutdown(h2o_socket_get_fd(connection->sock), SHUT_RD);
}
