/* SPDX-License-Identifier: MIT */
/**
 * Connection records: what we know of one connection that h2o does not, and how long it may live.
 *
 * A record is made at the accept and goes with the socket, whose on_close it is; so it can be found
 * from the socket, from a request and from a handshake. It belongs to one worker and its thread.
 *
 * Each phase has a deadline by the monotonic clock, which bytes that drip in do not extend. h2o's
 * own timers run on the wall clock and do not fire for an hour if it is set back by one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <h2o.h>

#include "daemon/worker/budget.h"
#include "daemon/worker/metrics.h"
#include "lib/dns/name.h"

struct certificate;
struct listener;
struct client_network;
struct worker;

enum connection_phase {
    PHASE_HEADER, /* until that of the PROXY protocol is in */
    PHASE_HANDSHAKE,
    PHASE_REQUEST, /* until its last byte is in */
    PHASE_ANSWER,  /* until its last byte is out */
    PHASE_COUNT,
};

struct connection {
    struct connection *prev, *next;               /* among its worker's, oldest first */
    struct connection *source_prev, *source_next; /* among its source's */
    struct connection *due_prev, *due_next;       /* among those that the end of a turn sees to */
    struct worker *worker;
    const struct listener *listener;
    struct client_network *source; /* NULL: none is counted */
    h2o_socket_t *sock;
    struct budget_share share;          /* of the worker's memory */
    struct budget_share body_share;     /* of what requests with a body may hold of it */
    h2o_accept_ctx_t accept_ctx;        /* its own, so that the SNI can choose the context */
    char server_name[DNS_NAME_MAX + 1]; /* the SNI in stored form; empty: none, or no TLS */
    struct certificate *certificate;    /* presented; NULL: none yet, or no TLS */
    enum connection_phase phase;
    bool is_killed;
    bool is_handed_over; /* handed over to h2o's HTTP/1, which alone may close it */
    bool is_due;
    bool is_half_closed;    /* the peer has sent close_notify */
    bool is_refused;        /* in the handshake, by its name */
    enum end_reason end;    /* set by the kill, or else at the end */
    uint64_t deadline_ms;   /* of the phase */
    unsigned n_requests;    /* that reached the router */
    unsigned n_ended;       /* that h2o has told the end of */
    unsigned n_key_updates; /* of TLS 1.3, that the peer has sent */
    size_t n_searched;      /* octets of the first request, for the end of its head */
};

/**
 * Takes over an accepted socket: makes its record and hands it to h2o, behind a PROXY protocol
 * header if the listener asks for one. At a cap the oldest connection that has not finished its
 * request is ended for it; if there is none, the new one is.
 */
void connection_open(struct worker *worker, const struct listener *listener, h2o_socket_t *sock);

/**
 * Says who is behind a proxy's connection: from now on that is the peer that counts and is logged.
 * Returns false if the client's connections are at their cap and none can be ended for this one.
 */
bool connection_set_client(struct connection *connection, struct sockaddr *client, socklen_t len);

/** Begins to read the handshake or the request, from what the socket's buffer holds on. */
void connection_begin(struct connection *connection);

/** The record behind a socket, a request or a handshake. */
struct connection *connection_of_socket(h2o_socket_t *sock);
struct connection *connection_of_request(const h2o_req_t *req);
struct connection *connection_of_ssl(const SSL *ssl);

/** Begins a phase and its time. */
void connection_enter(struct connection *connection, enum connection_phase phase);

/**
 * Says how many bytes of memory the connection holds from now on. If all together hold more than
 * they may, others are killed for it, or this connection is shut down (daemon/worker/budget.h).
 */
void connection_hold(struct connection *connection, size_t bytes);

/** The same of a connection that reads a request: what it costs, its input and so much more. */
void connection_hold_request(struct connection *connection, size_t more);

/**
 * Hands the connection to h2o's HTTP/1, whose buffers will hold so much for the request's body; or
 * closes it, if such requests hold more than their part of the memory. h2o's connections can only
 * be shut down, so that their memory comes back when it gets to them.
 */
void connection_hand_over(struct connection *connection, size_t body_bytes);

/** The handshake is through; called in the worker's thread. */
void connection_established(struct connection *connection);

/** The peer has sent close_notify; called in the worker's thread. */
void connection_half_closed(struct connection *connection);

/**
 * At the end of a turn of the loop, acknowledges the handshakes that it has finished and no request
 * came with. A client with Nagle's algorithm on holds its request back until then; the kernel would
 * let the ACK wait 40 ms for something to be sent with it.
 *
 * Connections whose peer has sent close_notify before the end of its request are killed: none can
 * come, and h2o would keep all octets that come instead (daemon/worker/tls_guard.h, U13).
 */
void connections_end_turn(struct worker *worker);

/** The last request is here: what answers it, close_notify and FIN go out together. */
void connection_write_last(struct connection *connection);

/**
 * Ends a connection that is not on the call stack. Unless it is h2o's, its record is gone after it.
 */
void connection_kill(struct connection *connection, enum end_reason end);

/** Ends the connection from within a callback of its own: its next event closes it. */
void connection_shut(struct connection *connection, enum end_reason end);

/** Ends the connection from within its read callback, at once. The record is gone after it. */
void connection_close(struct connection *connection, enum end_reason end);

/** Kills all of a worker. */
void connections_kill_all(struct worker *worker, enum end_reason end);

/**
 * Kills those of a worker whose time is over, but not more than some at once.
 *
 * Returns whether that was all.
 */
bool connections_sweep(struct worker *worker);

/** A connection's peer in text, as in struct log_record. */
void connection_print_peer(h2o_socket_t *sock, char *buffer, size_t size);
