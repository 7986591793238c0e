/* SPDX-License-Identifier: MIT */
/**
 * Trust: what the check trusts and how it speaks TLS to MX hosts.
 *
 * Handshakes are as permissive as the library is, because a verdict comes after them: a server that
 * only knows TLS 1.0 or shows a bad certificate is to be described, not to be refused.
 * One thread at a time.
 */
#pragma once

#include <openssl/types.h>

struct err;
struct mx_trust;

/**
 * ca_file  PEM file of the roots to trust; NULL: those of the system, or of the environment
 *          variables SSL_CERT_FILE and SSL_CERT_DIR
 * Returns NULL with *err set: ERR_CRYPTO.
 */
struct mx_trust *mx_trust_new(const char *ca_file, struct err *err);

/** Takes NULL. */
void mx_trust_free(struct mx_trust *trust);

/** The context of handshakes: verifies nothing, TLS 1.0 and later, DANE enabled. */
SSL_CTX *mx_trust_context(const struct mx_trust *trust);

/**
 * The context of a handshake with what all senders know and nothing else: TLS 1.2 with ECDHE and
 * AEAD, and TLS 1.3. Those built with rustls, such as Stalwart and KumoMTA, offer no more.
 */
SSL_CTX *mx_trust_narrow_context(const struct mx_trust *trust);

/** The trusted roots. */
X509_STORE *mx_trust_roots(const struct mx_trust *trust);
