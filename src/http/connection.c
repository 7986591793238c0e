/* SPDX-License-Identifier: MIT */
#include "http/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#include "base/arena.h"
#include "http/listener.h"
#include "http/worker_internal.h"
#include "tls/certificate.h"

static void on_close(void *data)
{
    struct connection *connection = data;
    struct worker *worker = connection->worker;

    DL_DELETE(worker->connections, connection);
    worker->n_connections--;
    certificate_unref(connection->certificate);
    free(connection);
}

void connection_open(struct worker *worker, const struct listener *listener, h2o_socket_t *sock)
{
    struct connection *connection = memory_alloc(sizeof(*connection));

    *connection = (struct connection){
        .worker = worker,
        .listener = listener,
        .sock = sock,
        .accept_ctx = {.ctx = &worker->small.super,
                       .hosts = worker->small.super.globalconf->hosts,
                       .ssl_ctx = listener->has_tls ? worker->ssl_ctx : NULL},
    };
    sock->on_close.cb = on_close;
    sock->on_close.data = connection;
    DL_APPEND(worker->connections, connection);
    worker->n_connections++;
    h2o_accept(&connection->accept_ctx, sock);
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

void connection_kill(struct connection *connection)
{
    shutdown(h2o_socket_get_fd(connection->sock), SHUT_RDWR);
}

void connection_print_peer(const struct connection *connection, char *buffer, size_t size)
{
    struct sockaddr_storage address;
    socklen_t len = h2o_socket_getpeername(connection->sock, (struct sockaddr *)&address);
    char host[NI_MAXHOST];
    size_t host_len = SIZE_MAX;

    buffer[0] = '\0';
    if (len > 0 && address.ss_family != AF_UNIX)
        host_len = h2o_socket_getnumerichost((struct sockaddr *)&address, len, host);
    if (host_len == SIZE_MAX)
        return;
    snprintf(buffer, size, address.ss_family == AF_INET6 ? "[%.*s]:%d" : "%.*s:%d", (int)host_len,
             host, h2o_socket_getport((struct sockaddr *)&address));
}
