/* SPDX-License-Identifier: MIT */
#include "daemon/worker/first_octets.h"

#include <stdbool.h>

#include <h2o.h>

#include "daemon/net/listen.h"
#include "daemon/net/proxy_header.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/log_record.h"
#include "lib/base/slice.h"

enum {
    METHOD_MAX = 16, /* letters of a method */
};

/* A record of a handshake, of any version: type and major version. */
static bool first_octets_are_tls(struct slice bytes)
{
    return slice_starts_with(bytes, "\x16\x03");
}

/* A method, a blank, and what begins a request target. */
static bool first_octets_are_http(struct slice bytes)
{
    size_t len = 0;
    struct slice target;

    while (len < bytes.len && len < METHOD_MAX && bytes.ptr[len] >= 'A' && bytes.ptr[len] <= 'Z')
        len++;
    target = slice_range(bytes, len, bytes.len);
    return len > 0 && (slice_starts_with(target, " /") || slice_starts_with(target, " *") ||
                       slice_starts_with(target, " http"));
}

static const char *first_octets_cure(const struct connection *connection, struct slice bytes)
{
    bool expects_tls = connection->kind->ssl_ctx != NULL;

    if (proxy_header_begins(bytes))
        return "a PROXY protocol header came, and proxy_protocol is not set for this listener: set "
               "it, or let the proxy send none";
    if (expects_tls && first_octets_are_http(bytes))
        return "plain HTTP came, and this listener expects TLS: use https://, or set 'tls: false' "
               "for a listener behind a proxy that terminates TLS";
    if (!expects_tls && first_octets_are_tls(bytes))
        return connection->kind->serves == SERVES_ADMIN
                   ? "TLS came, and the admin listener speaks plain HTTP: use http://"
                   : "TLS came, and this listener expects plain HTTP: use http:// in the proxy, or "
                     "remove 'tls: false' from the listener";
    return NULL;
}

void first_octets_log(const struct connection *connection)
{
    h2o_socket_t *sock = connection->sock;
    struct slice bytes = {sock->input->bytes, sock->input->size};
    struct log_record record = {.kind = LOG_RECORD_OTHER_PROTOCOL,
                                .fault = first_octets_cure(connection, bytes)};
    char listener[SOCKET_NAME_MAX];

    if (!record.fault)
        return;
    socket_name(h2o_socket_get_fd(sock), listener);
    log_record_set_text(record.server, sizeof(record.server), slice_of(listener));
    connections_log(connection->connections, sock, &record);
}
