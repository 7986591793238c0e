/* SPDX-License-Identifier: MIT */
#include "daemon/worker/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <h2o.h>

#include "daemon/net/listen.h"
#include "lib/base/arena.h"

enum {
    ACCEPTS_PER_WAKEUP = 16, /* a flood of connections must not starve those that are open */
};

struct listener {
    h2o_socket_t *sock;
    listener_on_accept *on_accept;
    void *context;
    bool is_asleep; /* no descriptor was left for the next connection */
};

/*
 * Without descriptors the loop would report the waiting connection again and again and find none
 * to take it with: a whole core, spinning. So the listener sleeps until it is woken.
 */
static void listener_sleep_if_exhausted(struct listener *listener)
{
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return;
    listener->is_asleep = true;
    h2o_socket_read_stop(listener->sock);
}

static bool listener_accept(struct listener *listener)
{
    h2o_socket_t *sock = h2o_evloop_socket_accept(listener->sock);

    if (!sock) {
        listener_sleep_if_exhausted(listener);
        return false;
    }
    listener->on_accept(listener->context, sock);
    return true;
}

static void listener_on_ready(h2o_socket_t *sock, const char *err)
{
    struct listener *listener = sock->data;

    if (err)
        return;
    for (int i = 0; i < ACCEPTS_PER_WAKEUP && listener_accept(listener); i++)
        continue;
}

struct listener *listener_open(h2o_evloop_t *loop, int fd, listener_on_accept *on_accept,
                               void *context)
{
    struct listener *listener = memory_alloc(sizeof(*listener));

    *listener =
        (struct listener){.sock = h2o_evloop_socket_create(loop, fd, H2O_SOCKET_FLAG_DONT_READ),
                          .on_accept = on_accept,
                          .context = context};
    listener->sock->data = listener;
    h2o_socket_read_start(listener->sock, listener_on_ready);
    return listener;
}

void listener_accept_rest(struct listener *listener)
{
    /* The kernel lets one more wait than the backlog says. */
    for (int i = 0; i <= LISTEN_BACKLOG && listener_accept(listener); i++)
        continue;
}

void listener_wake(struct listener *listener)
{
    if (!listener->is_asleep)
        return;
    listener->is_asleep = false;
    h2o_socket_read_start(listener->sock, listener_on_ready);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    h2o_socket_read_stop(listener->sock);
    h2o_socket_close(listener->sock);
    free(listener);
}
