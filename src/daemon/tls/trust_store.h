/* SPDX-License-Identifier: MIT */
/**
 * The trust store: the roots that this system trusts.
 *
 * Immutable once it is made: any thread may ask.
 */
#pragma once

#include <stdbool.h>

#include <openssl/types.h>

struct trust_store;

/**
 * Reads every root now, from where OpenSSL looks for them (SSL_CERT_FILE, SSL_CERT_DIR): inside the
 * sandbox these files cannot be read. Returns a store, never NULL; what cannot be read is left out.
 */
struct trust_store *trust_store_new(void);

/** Takes NULL. */
void trust_store_free(struct trust_store *trust);

/** Whether no root was found, as in an image without the package ca-certificates. Takes NULL. */
bool trust_store_is_empty(const struct trust_store *trust);

/**
 * Whether a root of the store issued the certificate, by the names and key ids in both; a root of
 * the store issued itself. Takes a NULL trust. May leave errors in OpenSSL's queue.
 */
bool trust_store_issued(const struct trust_store *trust, X509 *certificate);
