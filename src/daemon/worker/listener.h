/* SPDX-License-Identifier: MIT */
/**
 * Listeners: one listening socket in one worker's loop.
 *
 * Belongs to one worker and its thread.
 */
#pragma once

struct listener;
struct st_h2o_evloop_t;
struct st_h2o_socket_t;

/** Takes over a socket that was accepted. */
typedef void listener_on_accept(void *context, struct st_h2o_socket_t *sock);

/**
 * Starts accepting. Never returns NULL.
 *
 * fd  a listening socket, non-blocking; the listener's from now on
 */
struct listener *listener_open(struct st_h2o_evloop_t *loop, int fd, listener_on_accept *on_accept,
                               void *context);

/**
 * Takes in what already waits in the queue: the kernel has told those peers that they are in. A
 * flood that goes on does not hold this up: no more are taken in than a queue holds.
 */
void listener_accept_rest(struct listener *listener);

/** Tries again where descriptors had run out. */
void listener_wake(struct listener *listener);

/** Stops accepting, closes the descriptor and frees the listener. Takes NULL. */
void listener_close(struct listener *listener);
