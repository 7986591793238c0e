/* SPDX-License-Identifier: MIT */
/**
 * TLS bounds: how much a server may send, and have us compute, before it is taken for hostile.
 *
 * OpenSSL reads on inside one call as long as messages come that it passes over: a server that
 * sends HelloRequest or session tickets without end would never let SSL_connect() or SSL_read()
 * return, and no timer would run. So the bound lies below TLS, where octets are read.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

/** The caller's; outlives the connection. */
struct tls_bound {
    size_t max, n_octets;
    bool is_exceeded; /* the server had more to send: reading has failed since */
};

/** Counts what `ssl` reads from now on; its BIO for reading is set. */
void tls_bound_watch(struct tls_bound *bound, const SSL *ssl, size_t max);

/**
 * Refuses primes of Diffie-Hellman that no standard names and that have more than 4096 bits, from
 * now on: one of 10,000 bits costs us a handshake of more than half a second.
 */
void tls_bound_primes(SSL_CTX *context);

/** The words of OpenSSL for a fault, or better ones for what tls_bound_primes() refuses. */
const char *tls_bound_words(const char *words);
