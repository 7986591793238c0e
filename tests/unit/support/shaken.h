/* SPDX-License-Identifier: MIT */
/**
 * TLS handshakes with the connections of a room, by a client of OpenSSL's that trusts anybody.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "support/room.h"

struct shaken {
    struct room *room;
    struct connection *connection; /* gone once the peer's end says so */
    SSL_CTX *ctx;
    SSL *ssl;
    int peer;
    bool is_done; /* the handshake, as far as the client knows */
};

/**
 * Shakes hands over a new connection of the room's kind, which has TLS.
 *
 * server_name  the SNI; NULL: none
 */
struct shaken shaken_open(struct room *room, const char *server_name);

void shaken_close(struct shaken *shaken);
