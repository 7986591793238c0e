/* SPDX-License-Identifier: MIT */
/**
 * Acceptors: what becomes of a socket that a listener has accepted. It becomes a connection if its
 * peer and the caps let it, and then goes through its read stages: the PROXY protocol's header, the
 * ClientHello, the request's head.
 *
 * Belongs to one worker and its thread.
 */
#pragma once

struct acceptor;
struct connection_kind;
struct connections;
struct st_h2o_socket_t;
struct worker_socket;

/**
 * connections  outlive the acceptor
 * kind         copied
 * socket       copied, with its networks: a snapshot goes at a reload
 * Never returns NULL.
 */
struct acceptor *acceptor_new(struct connections *connections, const struct connection_kind *kind,
                              const struct worker_socket *socket);

/** Takes NULL. No connection that it has made is left. */
void acceptor_free(struct acceptor *acceptor);

/** Takes over an accepted socket; a listener_on_accept, whose context is the acceptor. */
void acceptor_take(void *context, struct st_h2o_socket_t *sock);
