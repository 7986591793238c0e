/* SPDX-License-Identifier: MIT */
/**
 * Private keys, and how one is joined with its certificate.
 *
 * Any thread, a key in one at a time. Leaves OpenSSL's error queue as it falls; callers empty it.
 * Source: RFC 5958 2 (PKCS#8), RFC 5915 3 (ECPrivateKey)
 */
#pragma once

#include <stddef.h>

#include <openssl/types.h>

struct err;

struct key;

/**
 * Returns the key, which the caller frees, or NULL with *err set (no place): ERR_SYNTAX (damaged),
 * ERR_CONFIG (too weak for TLS).
 */
struct key *key_decode(const unsigned char *der, size_t len, struct err *err);

/** Wipes it. Accepts NULL. */
void key_free(struct key *key);

/**
 * Decodes the certificate of a key, so that any thread may use it.
 *
 * What signs for it is, as a rule, the certificate's own public key, which gets the private half:
 * one object where there would be two, and nothing to compare in each handshake. A P-256 key has
 * its public half beside it, so the certificate's needs no decoding (daemon/tls/blank.h).
 *
 * Returns 0, or -1 with *err set (no place): ERR_SYNTAX (the certificate is damaged), ERR_CONFIG
 * (damaged, or not that of the certificate). Both results are references.
 */
int key_decode_certificate(struct key *key, const unsigned char *der, size_t len,
                           X509 **ret_certificate, EVP_PKEY **ret_signer, struct err *err);
