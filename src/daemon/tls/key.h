/* SPDX-License-Identifier: MIT */
/**
 * Private keys, and how one is joined with its certificate.
 *
 * Any thread, but a key in one at a time. Functions may leave errors in OpenSSL's queue, which the
 * callers clear.
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

/** Wipes the key. Takes NULL. */
void key_free(struct key *key);

/**
 * Decodes the certificate of a key, so that any thread may use it.
 *
 * The signer of a P-256 certificate is the certificate's own public key with the private half put
 * into it: 2 kB less for each host, and nothing to compare in each handshake.
 *
 * ret_certificate, ret_signer  a reference each
 * Returns 0, or -1 with *err set (no place): ERR_SYNTAX (the certificate is damaged), ERR_CONFIG
 * (the key is damaged, or another certificate's).
 */
int key_decode_certificate(struct key *key, const unsigned char *der, size_t len,
                           X509 **ret_certificate, EVP_PKEY **ret_signer, struct err *err);
