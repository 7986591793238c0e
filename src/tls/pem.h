/* SPDX-License-Identifier: MIT */
/**
 * PEM files: the certificates and the private key that they hold.
 *
 * Any thread. Leaves OpenSSL's error queue as it falls; callers empty it.
 * Source: RFC 7468 (PEM), RFC 5958 2 (PKCS#8), RFC 5915 3 (ECPrivateKey)
 */
#pragma once

#include <stddef.h>

#include <openssl/types.h>

struct arena;
struct err;

/** A certificate as its bytes, in the order of the file. */
struct pem_certificate {
    struct pem_certificate *next;
    const unsigned char *der;
    size_t len;
};

/** What was wanted of a file. */
enum pem_wanted {
    PEM_CERTIFICATES = 1 << 0, /* at least one */
    PEM_KEY = 1 << 1,          /* the first one */
};

/** Starts as zeros; each file adds to it. */
struct pem {
    struct pem_certificate *certificates;
    EVP_PKEY *key; /* the caller frees */
};

/**
 * Reads a file and takes what is wanted of it. What else is in it is passed over.
 *
 * max_bytes  a larger file is refused
 * arena      owns the certificates' bytes
 * Returns 0, or -1 with *err set (no place; the message does not name the file): ERR_IO
 * (sys_errno), ERR_SYNTAX (not PEM, nothing of what is wanted, key with a pass phrase), ERR_LIMIT
 * (file too large), ERR_CONFIG (no regular file, a key that is too weak for TLS). *pem holds what
 * was read before.
 */
int pem_load(const char *path, unsigned wanted, size_t max_bytes, struct arena *arena,
             struct pem *pem, struct err *err);
