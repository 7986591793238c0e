/* SPDX-License-Identifier: MIT */
/**
 * Connections of one worker: what h2o does not know of each, its deadline, and which one has to end
 * when there are too many or they hold too much memory.
 *
 * A connection is made at the accept and goes with its socket, whose on_close it is; so it can be
 * found from the socket, from a request and from a handshake. All belong to one worker's thread.
 *
 * Each phase has a deadline by the monotonic clock, which bytes that drip in do not extend. h2o's
 * own timers run on the wall clock: set back by an hour, they do not fire for an hour.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <h2o.h>

#include "daemon/worker/budget.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/read_stage.h"
#include "daemon/worker/serves.h"
#include "lib/dns/name.h"

struct certificate;
struct client_network;
struct clock;
struct connection_counts;
struct connections;
struct log_record;
struct log_ring;
struct mailbox;

enum connection_phase {
    PHASE_HEADER, /* until that of the PROXY protocol is in */
    PHASE_HANDSHAKE,
    PHASE_REQUEST, /* until its last byte is in */
    PHASE_BODY,    /* of a report, until its last byte is in */
    PHASE_WAIT,    /* until what the request asks for is done, elsewhere */
    PHASE_ANSWER,  /* until its last byte is out */
    PHASE_COUNT,
};

/**
 * Called for a connection in PHASE_WAIT that has waited for too long, or that has to end: answers,
 * and begins PHASE_ANSWER.
 */
typedef void connection_give_up(void *context);

/** What a connection is for, and how it begins; its listener decides. */
struct connection_kind {
    enum serves serves;
    bool keeps_alive;       /* a proxy on a unix socket sends many requests over one connection */
    h2o_context_t *context; /* until the SNI chooses another */
    SSL_CTX *ssl_ctx;       /* NULL: no TLS */
};

struct connection {
    struct connection *prev, *next;               /* among its worker's, oldest first */
    struct connection *client_prev, *client_next; /* among its client's to this worker */
    struct connection *turn_prev, *turn_next;     /* among those that the end of a turn sees to */
    struct connections *connections;
    const struct connection_kind *kind;
    struct client_network *client; /* NULL: none is counted */
    h2o_socket_t *sock;
    read_stage_take *take;              /* the stage that it is in; NULL: none yet */
    struct budget_share share;          /* of the worker's memory */
    size_t body_bytes;                  /* that it holds of what all requests' bodies may */
    h2o_accept_ctx_t accept_ctx;        /* its own, so that the SNI can choose the context */
    char server_name[DNS_NAME_MAX + 1]; /* the SNI in stored form; empty: none, or no TLS */
    struct certificate *certificate;    /* presented; NULL: none yet, or no TLS */
    enum connection_phase phase;
    enum end_reason end_reason; /* set when its end begins, or else at the end */
    bool is_ending;             /* counts for no cap any more */
    bool is_handed_over;        /* to h2o's HTTP/1, which alone may close it */
    bool is_in_turn_end;
    bool is_half_closed;  /* the peer has sent close_notify */
    bool is_refused;      /* in the handshake, by its name */
    uint64_t deadline_ms; /* of the phase */
    connection_give_up *give_up;
    void *give_up_context;
    unsigned n_requests;    /* that reached the router */
    unsigned n_answered;    /* that h2o has told the end of */
    unsigned n_key_updates; /* of TLS 1.3, that the peer has sent */
    size_t n_searched;      /* octets of the first request, for the end of its head */
};

struct connections_options {
    const struct clock *clock;
    struct metrics *metrics;
    struct log_ring *log;
    struct connection_counts *counts; /* of all workers together */
    struct mailbox *mailbox;          /* the worker's */
};

struct connection_limits {
    size_t connections_max; /* in all workers */
    size_t per_client_max;  /* in all workers */
    size_t memory_max;      /* bytes, in this worker */
    size_t bodies_max;      /* bytes of these, for requests with a body */
};

/** The options' objects outlive the connections. Never returns NULL; nothing is limited yet. */
struct connections *connections_new(const struct connections_options *options);

/** Takes NULL. No connection is left. */
void connections_free(struct connections *connections);

/** Sets what holds from now on. Lower limits end no connection before the next one comes. */
void connections_set_limits(struct connections *connections,
                            const struct connection_limits *limits);

/** How many connections the worker has, those that are ending included. */
size_t connections_count(const struct connections *connections);

/** The worker's own. */
struct metrics *connections_metrics(struct connections *connections);

/** The worker's own, to which other threads send what they have done for a connection. */
struct mailbox *connections_mailbox(struct connections *connections);

/** Logs a record with the socket's peer. */
void connections_log(struct connections *connections, h2o_socket_t *sock,
                     struct log_record *record);

/** Closes an accepted socket that becomes no connection. */
void connections_refuse(struct connections *connections, h2o_socket_t *sock,
                        enum end_reason reason);

/**
 * At the end of a turn of the loop, acknowledges the handshakes that it has finished and no request
 * came with. A client with Nagle's algorithm on holds its request back until then; the kernel would
 * let the ACK wait 40 ms for something to be sent with it.
 *
 * Connections whose peer has sent close_notify before the end of its request are ended: none can
 * come, and h2o would keep all octets that come instead (daemon/worker/tls_guard.h, U13).
 */
void connections_end_turn(struct connections *connections);

/**
 * Ends the connections whose deadline has passed, but only some at once.
 *
 * Returns whether these were all.
 */
bool connections_sweep(struct connections *connections);

/**
 * From now on each answer is the last of its connection, and a proxy's connection between two
 * requests ends.
 *
 * until_ms  by the monotonic clock; then connections_end_turn() ends all that are left
 */
void connections_drain(struct connections *connections, uint64_t until_ms);

/** Whether connections_drain() was called. */
bool connections_is_draining(const struct connections *connections);

/**
 * Takes over an accepted socket; the caller then begins a phase.
 *
 * At a cap the oldest connection of this worker that has not finished its request ends for the new
 * one; if there is none, the new one is refused. But a worker without any connection takes one
 * beyond the cap over all, lest the connections of the other workers lock it out; these then end
 * another one for it.
 *
 * kind    outlives the connection
 * client  the address to count it by; NULL: it is counted for no client
 * Returns NULL if the connection was refused; `sock` is closed then.
 */
struct connection *connection_open(struct connections *connections,
                                   const struct connection_kind *kind, h2o_socket_t *sock,
                                   const struct sockaddr *client);

/**
 * Sets the client behind a proxy's connection: from now on it is counted and logged as the peer.
 * Returns false if the client is at its cap and none of its connections can end for this one.
 */
bool connection_set_client(struct connection *connection, struct sockaddr *client, socklen_t len);

/** The connection behind a socket, a request or a handshake. */
struct connection *connection_of_socket(h2o_socket_t *sock);
struct connection *connection_of_request(const h2o_req_t *req);
struct connection *connection_of_ssl(const SSL *ssl);

/** Begins a phase and its time. */
void connection_enter(struct connection *connection, enum connection_phase phase);

/**
 * Begins PHASE_WAIT, in which the peer is not listened to, and the connection makes no room for
 * another one.
 */
void connection_wait(struct connection *connection, connection_give_up *give_up, void *context);

/**
 * Says how many bytes of memory the connection holds from now on. If all connections hold more than
 * they may, others end for it, or this one ends later (daemon/worker/budget.h).
 */
void connection_hold(struct connection *connection, size_t bytes);

/** The same while a request is read: the connection's cost, its input and `more` bytes. */
void connection_hold_request(struct connection *connection, size_t more);

/**
 * Hands the connection to h2o's HTTP/1, whose buffers will hold `body_bytes` for the request's
 * body. If all requests' bodies hold more than their part of the memory, those whose bodies have
 * been awaited for longest end. If that is no help, the connection ends instead: h2o frees the
 * memory of those that it has only when it gets to them.
 */
void connection_hand_over(struct connection *connection, size_t body_bytes);

/** Notes that the handshake is done: the request's time begins. */
void connection_handshake_done(struct connection *connection);

/** Notes that the peer has sent close_notify. */
void connection_close_notified(struct connection *connection);

/** Notes that the last request is here: its answer, close_notify and FIN leave together (TCP_CORK).
 */
void connection_cork(struct connection *connection);

/** Ends a connection that is not on the call stack. Unless it is h2o's, it is freed. */
void connection_end(struct connection *connection, enum end_reason reason);

/** Ends the connection from within a callback of its own: its next event closes it. */
void connection_end_later(struct connection *connection, enum end_reason reason);

/** Ends the connection from within its read callback, and frees it. */
void connection_end_now(struct connection *connection, enum end_reason reason);
