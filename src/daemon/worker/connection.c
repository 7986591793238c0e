/* SPDX-License-Identifier: MIT */
#include "daemon/worker/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <h2o/http1.h>
#include <openssl/err.h>
#include <utlist.h>

#include "daemon/tls/certificate.h"
#include "daemon/worker/clients.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/hello.h"
#include "daemon/worker/listener.h"
#include "daemon/worker/proxy_protocol.h"
#include "daemon/worker/request.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum {
    KILLS_PER_SWEEP = 64, /* each costs microseconds: thousands at once would hold up the rest */
};

/* Milliseconds that a phase may last. */
static const uint64_t phase_ms[PHASE_COUNT] = {
    [PHASE_HEADER] = 5000,
    [PHASE_HANDSHAKE] = 5000,
    [PHASE_REQUEST] = 5000,
    [PHASE_ANSWER] = 10000,
};

static const enum end_reason deadline_ends[PHASE_COUNT] = {
    [PHASE_HEADER] = END_HANDSHAKE,
    [PHASE_HANDSHAKE] = END_HANDSHAKE,
    [PHASE_REQUEST] = END_REQUEST,
    [PHASE_ANSWER] = END_ANSWER,
};

static uint64_t now_ms(void)
{
    return clock_system.monotonic_ms(&clock_system);
}

/* From here on the connection counts for no cap. */
static void stop_counting(struct connection *connection)
{
    struct worker *worker = connection->worker;

    if (connection->is_killed)
        return;
    connection->is_killed = true;
    budget_release(worker->budget, &connection->share);
    worker->n_counted--;
    if (connection->source) {
        DL_DELETE2(connection->source->connections, connection, source_prev, source_next);
        clients_leave(worker->clients, connection->source);
    }
}

static void join_source(struct connection *connection, struct client_network *source)
{
    connection->source = source;
    if (!source)
        return;
    connection->share.n_of_source = &source->n_connections;
    DL_APPEND2(source->connections, connection, source_prev, source_next);
}

static void start_counting(struct connection *connection, struct client_network *source)
{
    struct worker *worker = connection->worker;

    DL_APPEND(worker->connections, connection);
    worker->n_connections++;
    worker->n_counted++;
    join_source(connection, source);
}

/* h2o answers what it cannot parse by itself, with 400, and tells nobody; its 413 is told. */
static bool was_answered_by_h2o(const struct connection *connection)
{
    return connection->n_ended == 0 && connection->phase == PHASE_REQUEST &&
           connection->sock->bytes_written > 0;
}

static void count_end(struct connection *connection)
{
    struct metrics *metrics = &connection->worker->metrics;

    if (connection->phase == PHASE_HANDSHAKE && !connection->is_refused)
        metrics_count(&metrics->handshakes[HANDSHAKE_FAILED]);
    if (was_answered_by_h2o(connection))
        metrics_count_request(metrics, 400);
    if (!connection->is_killed)
        connection->end = connection->n_requests > 0 ? END_ANSWERED : END_PEER;
    metrics_count(&metrics->ends[connection->end]);
}

/* Nothing hangs on it: a unix socket has no such option. */
static void set_tcp_option(const struct connection *connection, int option)
{
    static const int on = 1;

    setsockopt(h2o_socket_get_fd(connection->sock), IPPROTO_TCP, option, &on, sizeof(on));
}

static void make_due(struct connection *connection)
{
    if (!connection->is_due)
        DL_APPEND2(connection->worker->due, connection, due_prev, due_next);
    connection->is_due = true;
}

static void make_undue(struct connection *connection)
{
    if (connection->is_due)
        DL_DELETE2(connection->worker->due, connection, due_prev, due_next);
    connection->is_due = false;
}

static void on_close(void *data)
{
    struct connection *connection = data;
    struct worker *worker = connection->worker;

    count_end(connection);
    stop_counting(connection);
    budget_release(worker->bodies, &connection->body_share);
    make_undue(connection);
    DL_DELETE(worker->connections, connection);
    worker->n_connections--;
    certificate_unref(connection->certificate);
    free(connection);
}

static bool may_be_evicted(const struct connection *connection)
{
    return !connection->is_killed && connection->phase != PHASE_ANSWER;
}

/* Makes room among all connections. What is being answered is left alone. */
static bool evict_oldest(struct worker *worker)
{
    struct connection *connection;

    DL_FOREACH (worker->connections, connection) {
        if (!may_be_evicted(connection))
            continue;
        connection_kill(connection, END_EVICTED);
        return true;
    }
    return false;
}

static bool evict_oldest_of_source(struct client_network *source)
{
    struct connection *connection;

    DL_FOREACH2 (source->connections, connection, source_next) {
        if (!may_be_evicted(connection))
            continue;
        client_network_strike(source, now_ms());
        connection_kill(connection, END_EVICTED);
        return true;
    }
    return false;
}

/* The source counts the new one already. */
static bool is_over_cap(const struct worker *worker, const struct client_network *source)
{
    return source && source->n_connections > worker->per_source_max;
}

/* Handshakes that are evicted unfinished cost more than what is closed at once. */
static bool admit_of_source(const struct worker *worker, struct client_network *source)
{
    if (source && client_network_is_barred(source, now_ms()))
        return false;
    return !is_over_cap(worker, source) || evict_oldest_of_source(source);
}

static bool admit(struct worker *worker, struct client_network *source)
{
    return admit_of_source(worker, source) &&
           (worker->n_counted < worker->connections_max || evict_oldest(worker));
}

static struct client_network *find_source(struct worker *worker, const struct listener *listener,
                                          h2o_socket_t *sock)
{
    struct sockaddr_storage address;

    if (listener->keeps_alive || listener->has_proxy_protocol ||
        h2o_socket_getpeername(sock, (struct sockaddr *)&address) == 0)
        return NULL;
    return clients_enter(worker->clients, (const struct sockaddr *)&address);
}

void connection_open(struct worker *worker, const struct listener *listener, h2o_socket_t *sock)
{
    struct client_network *source = find_source(worker, listener, sock);
    struct connection *connection;

    metrics_count(&worker->metrics.opened);
    /* Before the caps: a stranger must not cost anybody else a connection. */
    if (listener->has_proxy_protocol && !proxy_admit(listener, sock)) {
        h2o_socket_close(sock);
        return;
    }
    if (!admit(worker, source)) {
        clients_leave(worker->clients, source);
        metrics_count(&worker->metrics.ends[END_REFUSED]);
        h2o_socket_close(sock);
        return;
    }
    connection = memory_alloc(sizeof(*connection));
    *connection = (struct connection){
        .worker = worker,
        .listener = listener,
        .sock = sock,
        .accept_ctx = {.ctx = &worker->small.super, .hosts = worker->small.super.globalconf->hosts},
    };
    sock->on_close.cb = on_close;
    sock->on_close.data = connection;
    start_counting(connection, source);
    connection_hold(connection, COST_CONNECTION);
    if (listener->has_proxy_protocol)
        proxy_begin(connection);
    else
        connection_begin(connection);
}

bool connection_set_client(struct connection *connection, struct sockaddr *client, socklen_t len)
{
    struct worker *worker = connection->worker;
    struct client_network *source = clients_enter(worker->clients, client);

    h2o_socket_setpeername(connection->sock, client, len);
    if (!admit_of_source(worker, source)) {
        clients_leave(worker->clients, source);
        return false;
    }
    join_source(connection, source);
    return true;
}

void connection_begin(struct connection *connection)
{
    if (connection->listener->has_tls) {
        hello_begin(connection);
        return;
    }
    connection_enter(connection, PHASE_REQUEST);
    request_begin(connection);
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

void connections_end_turn(struct worker *worker)
{
    struct connection *connection;

    while ((connection = worker->due)) {
        make_undue(connection);
        if (connection->is_half_closed)
            connection_kill(connection, END_PEER);
        else
            set_tcp_option(connection, TCP_QUICKACK);
    }
}

void connection_write_last(struct connection *connection)
{
    make_undue(connection);
    set_tcp_option(connection, TCP_CORK);
}

static struct connection *find_victim(const struct worker *worker)
{
    struct budget_share *share = NULL;

    if (budget_is_exceeded(worker->budget))
        share = budget_victim(worker->budget, now_ms());
    return share ? H2O_STRUCT_FROM_MEMBER(struct connection, share, share) : NULL;
}

void connection_hold(struct connection *connection, size_t bytes)
{
    struct worker *worker = connection->worker;
    struct connection *victim;

    if (connection->is_killed)
        return;
    budget_hold(worker->budget, &connection->share, bytes, now_ms());
    while ((victim = find_victim(worker)))
        if (victim == connection)
            connection_shut(victim, END_MEMORY);
        else
            connection_kill(victim, END_MEMORY);
}

void connection_hold_request(struct connection *connection, size_t more)
{
    const h2o_buffer_t *input = connection->sock->input;
    size_t bytes = COST_CONNECTION + more;

    if (connection->listener->has_tls)
        bytes += COST_TLS;
    if (input->size > 0)
        bytes += input->capacity;
    connection_hold(connection, bytes);
}

void connection_hand_over(struct connection *connection, size_t body_bytes)
{
    struct worker *worker = connection->worker;

    if (body_bytes > 0)
        budget_hold(worker->bodies, &connection->body_share, body_bytes, now_ms());
    if (connection->is_killed || (body_bytes > 0 && budget_is_exceeded(worker->bodies))) {
        connection_close(connection, END_MEMORY);
        return;
    }
    connection->is_handed_over = true;
    h2o_http1_accept(&connection->accept_ctx, connection->sock,
                     *h2o_get_timestamp(connection->accept_ctx.ctx, NULL, NULL));
}

void connection_enter(struct connection *connection, enum connection_phase phase)
{
    /* What is being answered is left alone, and nothing of it grows. */
    if (phase == PHASE_ANSWER)
        budget_pin(connection->worker->budget, &connection->share);
    else if (connection->phase == PHASE_ANSWER)
        connection_hold_request(connection, COST_REQUEST);
    connection->phase = phase;
    connection->deadline_ms = now_ms() + phase_ms[phase];
}

void connection_established(struct connection *connection)
{
    /* Once: whatever OpenSSL says later must not give the request more time. */
    if (connection->phase != PHASE_HANDSHAKE)
        return;
    make_due(connection);
    metrics_count(&connection->worker->metrics.handshakes[HANDSHAKE_OK]);
    connection_enter(connection, PHASE_REQUEST);
}

void connection_half_closed(struct connection *connection)
{
    connection->is_half_closed = true;
    if (connection->phase == PHASE_REQUEST)
        make_due(connection);
}

void connection_shut(struct connection *connection, enum end_reason end)
{
    if (connection->is_killed)
        return;
    connection->end = end;
    stop_counting(connection);
    shutdown(h2o_socket_get_fd(connection->sock), SHUT_RDWR);
}

void connection_close(struct connection *connection, enum end_reason end)
{
    connection_shut(connection, end);
    h2o_socket_close(connection->sock);
}

void connection_kill(struct connection *connection, enum end_reason end)
{
    if (connection->is_handed_over)
        connection_shut(connection, end);
    else if (!connection->is_killed)
        connection_close(connection, end);
    ERR_clear_error(); /* of SSL_shutdown(): it is none of the handshake that this was done for */
}

void connections_kill_all(struct worker *worker, enum end_reason end)
{
    struct connection *connection, *next;

    DL_FOREACH_SAFE (worker->connections, connection, next)
        connection_kill(connection, end);
}

bool connections_sweep(struct worker *worker)
{
    uint64_t now = now_ms();
    unsigned n_killed = 0;
    struct connection *connection, *next;

    DL_FOREACH_SAFE (worker->connections, connection, next) {
        if (connection->is_killed || now < connection->deadline_ms)
            continue;
        connection_kill(connection, deadline_ends[connection->phase]);
        if (++n_killed == KILLS_PER_SWEEP)
            return false;
    }
    return true;
}

void connection_print_peer(h2o_socket_t *sock, char *buffer, size_t size)
{
    struct sockaddr_storage address;
    socklen_t len = h2o_socket_getpeername(sock, (struct sockaddr *)&address);
    char host[NI_MAXHOST];
    size_t host_len;

    snprintf(buffer, size, "%s", LOG_RECORD_PEER_UNKNOWN);
    if (len == 0)
        return;
    if (address.ss_family == AF_UNIX) {
        buffer[0] = '\0';
        return;
    }
    host_len = h2o_socket_getnumerichost((struct sockaddr *)&address, len, host);
    if (host_len != SIZE_MAX)
        snprintf(buffer, size, address.ss_family == AF_INET6 ? "[%.*s]:%d" : "%.*s:%d",
                 (int)host_len, host, h2o_socket_getport((struct sockaddr *)&address));
}
