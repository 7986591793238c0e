/* SPDX-License-Identifier: MIT */
#include "daemon/worker/peer.h"

#include <stdio.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/net/address.h"
#include "daemon/worker/log_record.h"

void peer_print(h2o_socket_t *sock, char *buffer, size_t size)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    char text[ADDRESS_TEXT_MAX] = LOG_RECORD_PEER_UNKNOWN;

    if (h2o_socket_getpeername(sock, (struct sockaddr *)&address) != 0)
        address_print((const struct sockaddr *)&address, text);
    snprintf(buffer, size, "%s", address.ss_family == AF_UNIX ? "" : text);
}
