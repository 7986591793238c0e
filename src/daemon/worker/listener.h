/* SPDX-License-Identifier: MIT */
/**
 * Listeners: one listening socket in one worker's loop.
 */
#pragma once

#include <stdbool.h>

#include <h2o.h>

struct network;
struct worker;
struct worker_socket;

struct listener {
    struct worker *worker;
    h2o_socket_t *sock; /* NULL once closed */
    bool has_tls;
    bool keeps_alive; /* a proxy on a unix socket sends many requests over one connection */
    bool is_asleep;   /* no descriptor was left for the next connection */
    bool has_proxy_protocol;
    struct network *trusted; /* its own: a snapshot goes at a reload */
    size_t n_trusted;
};

/** Starts accepting. */
void listener_open(struct listener *listener, struct worker *worker,
                   const struct worker_socket *socket);

/** Takes in what already waits in the queue: the kernel has told those peers that they are in. */
void listener_accept_rest(struct listener *listener);

/** Tries again where descriptors had run out; the worker's sweep calls it. */
void listener_wake(struct listener *listener);

/** Stops accepting and closes the descriptor. May be called twice. */
void listener_close(struct listener *listener);
