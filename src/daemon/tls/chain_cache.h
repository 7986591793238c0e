/* SPDX-License-Identifier: MIT */
/**
 * Chains: the intermediates that follow a leaf, kept once for all certificates that have the same.
 *
 * An authority has a handful of them for its millions of leaves: that saves 100 us of decoding and
 * 2 kB a certificate. Of those that no certificate has any more, a few are kept for the next one.
 * Safe from any thread; the certificates are immutable.
 */
#pragma once

#include <stddef.h>

#include <openssl/x509.h>

#include "lib/base/slice.h"

struct chain;
struct chains;
struct pem_certificate;

/** Returns an empty collection with one reference, never NULL. */
struct chains *chains_new(void);

/** Takes NULL. A chain that is in use keeps its collection. */
void chains_unref(struct chains *chains);

/**
 * The chain of this name, which is bytes that no other chain has: the text that it stands in, or
 * its DER. Returns a use of it, for chain_release(), or NULL.
 */
struct chain *chain_find(struct chains *chains, struct slice name);

/**
 * Decodes a chain and keeps it under this name; if another thread has done so, takes that one.
 *
 * certificates  NULL: an empty chain
 * Returns a use of it; NULL: one of them is damaged.
 */
struct chain *chain_add(struct chains *chains, struct slice name,
                        const struct pem_certificate *certificates);

/** Takes NULL. */
void chain_release(struct chain *chain);

/** Belongs to the chain; never NULL. */
STACK_OF(X509) * chain_certificates(const struct chain *chain);

/** Decodes one certificate so that any thread may use it. Returns NULL if it is damaged. */
X509 *x509_decode(const unsigned char *der, size_t len);
