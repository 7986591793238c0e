/* SPDX-License-Identifier: MIT */
#include "daemon/worker/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker/connection.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/arena.h"
#include "lib/base/prefix.h"

enum {
    ACCEPTS_PER_WAKEUP = 16, /* a flood of connections must not starve those that are open */
};

/*
 * Without descriptors the loop would report the waiting connection again and again and find none
 * to take it with: a whole core, spinning. So the listener sleeps until the next sweep.
 */
static void sleep_if_exhausted(struct listener *listener)
{
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    listener->is_asleep = true;
    h2o_socket_read_stop(listener->sock);
}

static bool accept_one(struct listener *listener)
{
    h2o_socket_t *sock = h2o_evloop_socket_accept(listener->sock);

    if (!sock) {
        sleep_if_exhausted(listener);
        return false;
    }
    connection_open(listener->worker, listener, sock);
    return true;
}

static void on_ready(h2o_socket_t *sock, const char *err)
{
    struct listener *listener = sock->data;

    if (err)
        return;
    for (int i = 0; i < ACCEPTS_PER_WAKEUP && accept_one(listener); i++)
        continue;
}

static void copy_trusted(struct listener *listener, const struct worker_socket *socket)
{
    if (socket->n_trusted == 0)
        return;
    listener->n_trusted = socket->n_trusted;
    listener->trusted = memory_alloc(socket->n_trusted * sizeof(*listener->trusted));
    memcpy(listener->trusted, socket->trusted, socket->n_trusted * sizeof(*listener->trusted));
}

void listener_open(struct listener *listener, struct worker *worker,
                   const struct worker_socket *socket)
{
    h2o_socket_t *sock =
        h2o_evloop_socket_create(worker->loop, socket->fd, H2O_SOCKET_FLAG_DONT_READ);

    *listener = (struct listener){.worker = worker,
                                  .sock = sock,
                                  .has_tls = socket->has_tls,
                                  .keeps_alive = socket->keeps_alive,
                                  .has_proxy_protocol = socket->has_proxy_protocol};
    copy_trusted(listener, socket);
    sock->data = listener;
    h2o_socket_read_start(sock, on_ready);
}

void listener_accept_rest(struct listener *listener)
{
    while (accept_one(listener))
        continue;
}

void listener_wake(struct listener *listener)
{
    if (!listener->is_asleep || !listener->sock)
        return;
    listener->is_asleep = false;
    h2o_socket_read_start(listener->sock, on_ready);
}

void listener_close(struct listener *listener)
{
    if (!listener->sock)
        return;
    h2o_socket_read_stop(listener->sock);
    h2o_socket_close(listener->sock);
    free(listener->trusted);
    listener->sock = NULL;
}
