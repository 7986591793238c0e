/* SPDX-License-Identifier: MIT */
/**
 * A sender's side of TLS 1.3: full handshakes, at a fraction of what they cost the server.
 *
 * libssl as a client needs twice the time of the server (it makes a key, decodes two certificates
 * and verifies a signature for each connection), so that on the other core it would be what is
 * measured. Here the server sees the same bytes and does the same work; what only protects the
 * client is left out, unless it is asked for. No resumption, one group (X25519), no client
 * certificate. Does no I/O: bytes go in and come out.
 *
 * Source: RFC 8446 4 (handshake), D.4 (middlebox compatibility, as senders have it)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secrets.h"

enum {
    TLS_IN_MAX = 24576,         /* bytes that may wait to become whole records */
    TLS_TRANSCRIPT_MAX = 16384, /* bytes of all messages of a handshake */
    TLS_OUT_MAX = 1024,
    TLS_DATA_MAX = 16384,
    TLS_LEAF_DIGEST_LEN = 32, /* SHA-256 */
};

enum tls_state {
    TLS_WAITS_FOR_HELLO,
    TLS_WAITS_FOR_FINISHED,
    TLS_ESTABLISHED,
    TLS_ENDED, /* by a close_notify */
    TLS_FAILED,
};

struct tls {
    enum tls_state state;
    const struct secrets *secrets;
    const struct suite *suite;
    const unsigned char *leaf_digest; /* what the leaf must be, or NULL */
    bool has_other_leaf;              /* why it failed */
    unsigned char secret[HASH_MAX];
    struct traffic from_server, to_server;
    size_t in_len, transcript_len, out_len, data_len;
    size_t parsed_len;     /* of the transcript */
    size_t certificate_at; /* in the transcript: the message; 0: none yet */
    unsigned char in[TLS_IN_MAX];
    unsigned char transcript[TLS_TRANSCRIPT_MAX];
    unsigned char out[TLS_OUT_MAX];   /* to be sent; the caller resets out_len */
    unsigned char data[TLS_DATA_MAX]; /* received */
};

/**
 * Begins a connection: a ClientHello is in out[].
 *
 * random       64 bytes, new for each connection
 * leaf_digest  SHA-256 of the only leaf that is right, whose signature over the handshake is then
 *              verified too; NULL: any
 */
void tls_begin(struct tls *tls, const struct secrets *secrets, const char *host,
               const unsigned char random[64], const unsigned char *leaf_digest);

/** Takes the `len` bytes that were received into in[in_len]. Look at the state afterwards. */
void tls_take(struct tls *tls, size_t len);

/** Adds application data to out[]; only where the state is TLS_ESTABLISHED. */
void tls_write(struct tls *tls, const void *bytes, size_t len);
