/* SPDX-License-Identifier: MIT */
/**
 * Strength of TLS: what of a handshake, done with all that OpenSSL can, stricter senders refuse.
 *
 * Pure, safe from any thread.
 * Source: RFC 9325 4.2 (ECDHE with AEAD), 4.1 (no RSA key exchange), 4.5 (lengths), RFC 5746
 * (secure renegotiation), OpenSSL's security levels.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>

enum {
    SMTP_DH_BITS_MIN = 2048, /* what OpenSSL's security level 2 demands */
};

/** Zeroed, there is nothing to be said. */
struct smtp_strength {
    const char *suite;        /* as OpenSSL calls it; NULL without a handshake */
    bool is_old_suite;        /* no ECDHE or no AEAD: those who know nothing else may get no TLS */
    bool lacks_renegotiation; /* of RFC 5746: OpenSSL 3 breaks off */
    bool signs_sha1;          /* the server signed its key exchange so: OpenSSL 3 breaks off */
    int dh_bits;              /* of the server's Diffie-Hellman group; 0: none; 1024 or more */
    bool has_staple;          /* the server sent the OCSP answer that it was asked for */
};

/** Looks at a handshake that is done, in which the client asked for an OCSP answer. */
void smtp_strength_read(SSL *ssl, struct smtp_strength *ret_strength);

/** Whether Postfix breaks off, as OpenSSL 3 has it do: no sender gets around that. */
bool smtp_strength_is_refused(const struct smtp_strength *strength);
