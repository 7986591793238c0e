/* SPDX-License-Identifier: MIT */
#include "daemon/worker/proxy_protocol.h"

#include <sys/socket.h>

#include <h2o.h>

#include "daemon/net/proxy_header.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/log_record.h"
#include "lib/base/prefix.h"
#include "lib/base/slice.h"

static bool proxy_protocol_trusts(const struct sockaddr *peer, const struct prefix *trusted,
                                  size_t n_trusted)
{
    if (peer->sa_family == AF_UNIX)
        return true;
    for (size_t i = 0; i < n_trusted; i++)
        if (prefix_contains(&trusted[i], peer))
            return true;
    return false;
}

bool proxy_protocol_admit(struct connections *connections, h2o_socket_t *sock,
                          const struct prefix *trusted, size_t n_trusted)
{
    struct log_record record = {.kind = LOG_RECORD_UNTRUSTED};
    struct sockaddr_storage peer;

    /* A health check that resets its connection at once has no address any more. */
    if (h2o_socket_getpeername(sock, (struct sockaddr *)&peer) == 0) {
        connections_refuse(connections, sock, END_PEER);
        return false;
    }
    if (proxy_protocol_trusts((const struct sockaddr *)&peer, trusted, n_trusted))
        return true;
    connections_log(connections, sock, &record);
    connections_refuse(connections, sock, END_UNTRUSTED);
    return false;
}

bool proxy_protocol_take(struct connection *connection, union proxy_client *ret_client)
{
    h2o_socket_t *sock = connection->sock;
    struct proxy_header header =
        proxy_header_parse((struct slice){sock->input->bytes, sock->input->size});
    struct log_record record = {.kind = LOG_RECORD_BAD_HEADER, .fault = header.fault};

    if (header.state == PROXY_HEADER_INCOMPLETE)
        return false;
    if (header.state == PROXY_HEADER_REFUSED) {
        connections_log(connection->connections, sock, &record);
        connection_end_now(connection, END_HEADER);
        return false;
    }
    h2o_socket_read_stop(sock);
    h2o_buffer_consume(&sock->input, header.len);
    *ret_client = header.client;
    return true;
}
