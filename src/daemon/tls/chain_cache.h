/* SPDX-License-Identifier: MIT */
/**
 * The chain cache: the intermediates that follow a leaf, kept once for all leaves that share them.
 *
 * An authority has a handful of chains for its millions of leaves: the cache saves 100 us of
 * decoding and 2 kB for each certificate. A few chains that no certificate uses any more are kept
 * for the next one. Safe from any thread; the certificates are immutable.
 */
#pragma once

#include <stddef.h>

#include <openssl/x509.h>

#include "lib/base/slice.h"

struct chain;
struct chain_cache;
struct pem_certificate;

/** Returns an empty cache with one reference, never NULL. */
struct chain_cache *chain_cache_new(void);

/** Takes NULL. A chain that is in use keeps its cache. */
void chain_cache_unref(struct chain_cache *chains);

/**
 * The chain of this name: bytes that no other chain has, its PEM text or its DER.
 * Returns a use of the chain, for chain_release(), or NULL if there is none.
 */
struct chain *chain_cache_acquire(struct chain_cache *chains, struct slice name);

/**
 * Decodes a chain and keeps it under this name, unless another thread has just done so.
 *
 * certificates  NULL: an empty chain
 * Returns a use of the chain, or NULL if a certificate is damaged.
 */
struct chain *chain_cache_add(struct chain_cache *chains, struct slice name,
                              const struct pem_certificate *certificates);

/** Takes NULL. */
void chain_release(struct chain *chain);

/** Belongs to the chain; never NULL. */
STACK_OF(X509) * chain_certificates(const struct chain *chain);

/** Decodes one certificate so that any thread may use it. Returns NULL if it is damaged. */
X509 *x509_decode(const unsigned char *der, size_t len);
