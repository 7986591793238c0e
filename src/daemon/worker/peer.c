/* SPDX-License-Identifier: MIT */
#include "daemon/worker/peer.h"

#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/worker/log_record.h"

void peer_print(h2o_socket_t *sock, char *buffer, size_t size)
{
    struct sockaddr_storage address;
    socklen_t len = h2o_socket_getpeername(sock, (struct sockaddr *)&address);
    char host[NI_MAXHOST];
    size_t host_len;

    snprintf(buffer, size, "%s", LOG_RECORD_PEER_UNKNOWN);
    if (len == 0)
        return;
    if (address.ss_family == AF_UNIX) {
        buffer[0] = '\0';
        return;
    }
    host_len = h2o_socket_getnumerichost((struct sockaddr *)&address, len, host);
    if (host_len != SIZE_MAX)
        snprintf(buffer, size, address.ss_family == AF_INET6 ? "[%.*s]:%d" : "%.*s:%d",
                 (int)host_len, host, h2o_socket_getport((struct sockaddr *)&address));
}
