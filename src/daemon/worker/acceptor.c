/* SPDX-License-Identifier: MIT */
#include "daemon/worker/acceptor.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/net/proxy_header.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/hello.h"
#include "daemon/worker/proxy_protocol.h"
#include "daemon/worker/read_stage.h"
#include "daemon/worker/request.h"
#include "daemon/worker/worker_socket.h"
#include "lib/base/arena.h"
#include "lib/base/prefix.h"

struct acceptor {
    struct connections *connections;
    struct connection_kind kind;
    bool has_proxy_protocol;
    size_t n_trusted;
    struct prefix trusted[];
};

struct acceptor *acceptor_new(struct connections *connections, const struct connection_kind *kind,
                              const struct worker_socket *socket)
{
    size_t trusted_size = socket->n_trusted * sizeof(struct prefix);
    struct acceptor *acceptor = memory_alloc(sizeof(*acceptor) + trusted_size);

    *acceptor = (struct acceptor){.connections = connections,
                                  .kind = *kind,
                                  .has_proxy_protocol = socket->has_proxy_protocol,
                                  .n_trusted = socket->n_trusted};
    if (trusted_size > 0)
        memcpy(acceptor->trusted, socket->trusted, trusted_size);
    return acceptor;
}

void acceptor_free(struct acceptor *acceptor)
{
    free(acceptor);
}

static void acceptor_begin(struct connection *connection)
{
    if (connection->kind->ssl_ctx) {
        hello_begin(connection);
        return;
    }
    connection_enter(connection, PHASE_REQUEST);
    request_begin(connection);
}

/* Returns false if the client may not have one connection more. */
static bool acceptor_set_client(struct connection *connection, union proxy_client *client)
{
    switch (client->any.sa_family) {
    case AF_INET:
        return connection_set_client(connection, &client->any, sizeof(client->v4));
    case AF_INET6:
        return connection_set_client(connection, &client->any, sizeof(client->v6));
    default: /* the proxy speaks for itself */
        return true;
    }
}

static void acceptor_take_header(struct connection *connection)
{
    union proxy_client client;

    if (!proxy_protocol_take(connection, &client))
        return;
    if (acceptor_set_client(connection, &client))
        acceptor_begin(connection);
    else
        connection_end_now(connection, END_REFUSED);
}

static void acceptor_take_from_proxy(struct acceptor *acceptor, h2o_socket_t *sock)
{
    struct connection *connection;

    /* Before the caps: a stranger must not cost anybody else a connection. */
    if (!proxy_protocol_admit(acceptor->connections, sock, acceptor->trusted, acceptor->n_trusted))
        return;
    connection = connection_open(acceptor->connections, &acceptor->kind, sock, NULL);
    if (!connection)
        return;
    connection_enter(connection, PHASE_HEADER);
    read_stage_begin(connection, acceptor_take_header);
}

static void acceptor_take_from_client(struct acceptor *acceptor, h2o_socket_t *sock)
{
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    struct connection *connection;

    if (acceptor->kind.keeps_alive ||
        h2o_socket_getpeername(sock, (struct sockaddr *)&storage) == 0)
        address = NULL;
    connection = connection_open(acceptor->connections, &acceptor->kind, sock, address);
    if (connection)
        acceptor_begin(connection);
}

void acceptor_take(void *context, h2o_socket_t *sock)
{
    struct acceptor *acceptor = context;

    metrics_count(&connections_metrics(acceptor->connections)->opened);
    if (acceptor->has_proxy_protocol)
        acceptor_take_from_proxy(acceptor, sock);
    else
        acceptor_take_from_client(acceptor, sock);
}
