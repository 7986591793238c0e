/* SPDX-License-Identifier: MIT */
#include "daemon/worker/proxy_protocol.h"

#include <sys/socket.h>

#include "daemon/net/proxy_header.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/listener.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"

static void report(struct worker *worker, h2o_socket_t *sock, enum log_record_kind kind,
                   const char *fault)
{
    struct log_record record = {.kind = kind, .fault = fault};

    connection_print_peer(sock, record.peer, sizeof(record.peer));
    log_ring_push(worker->log, &record);
}

static bool is_trusted(const struct listener *listener, const struct sockaddr *peer)
{
    if (peer->sa_family == AF_UNIX)
        return true;
    for (size_t i = 0; i < listener->n_trusted; i++)
        if (network_contains(&listener->trusted[i], peer))
            return true;
    return false;
}

bool proxy_admit(const struct listener *listener, h2o_socket_t *sock)
{
    struct metrics *metrics = &listener->worker->metrics;
    struct sockaddr_storage peer;

    /* A health check that resets its connection at once has no address any more. */
    if (h2o_socket_getpeername(sock, (struct sockaddr *)&peer) == 0) {
        metrics_count(&metrics->ends[END_PEER]);
        return false;
    }
    if (is_trusted(listener, (const struct sockaddr *)&peer))
        return true;
    metrics_count(&metrics->ends[END_UNTRUSTED]);
    report(listener->worker, sock, LOG_RECORD_UNTRUSTED, NULL);
    return false;
}

/* Returns false if the client may not have one connection more. */
static bool take_client(struct connection *connection, union proxy_client *client)
{
    switch (client->any.sa_family) {
    case AF_INET:
        return connection_set_client(connection, &client->any, sizeof(client->v4));
    case AF_INET6:
        return connection_set_client(connection, &client->any, sizeof(client->v6));
    default:
        return true;
    }
}

static void on_read(h2o_socket_t *sock, const char *err)
{
    struct connection *connection = connection_of_socket(sock);
    struct proxy_header header;

    /* One that was killed may still have bytes to read, and counts for nothing any more. */
    if (err || connection->is_killed) {
        h2o_socket_close(sock);
        return;
    }
    header = proxy_header_parse((struct slice){sock->input->bytes, sock->input->size});
    if (header.state == PROXY_HEADER_INCOMPLETE)
        return;
    if (header.state == PROXY_HEADER_REFUSED) {
        report(connection->worker, sock, LOG_RECORD_BAD_HEADER, header.fault);
        connection_close(connection, END_HEADER);
        return;
    }
    h2o_socket_read_stop(sock);
    h2o_buffer_consume(&sock->input, header.len);
    if (take_client(connection, &header.client))
        connection_begin(connection);
    else
        connection_close(connection, END_REFUSED);
}

void proxy_begin(struct connection *connection)
{
    connection_enter(connection, PHASE_HEADER);
    h2o_socket_read_start(connection->sock, on_read);
}
