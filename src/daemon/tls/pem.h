/* SPDX-License-Identifier: MIT */
/**
 * PEM files: the certificates and the private key that they hold.
 *
 * Any thread. Functions may leave errors in OpenSSL's queue, which the callers clear.
 * Source: RFC 7468
 */
#pragma once

#include <stddef.h>

#include "lib/base/slice.h"

struct arena;
struct err;
struct key;

/** A certificate as its bytes, in the order of the file. */
struct pem_certificate {
    struct pem_certificate *next;
    const unsigned char *der;
    size_t len;
};

/** What is wanted of a text. */
enum pem_wanted {
    PEM_LEAF = 1 << 0,         /* the first certificate; what follows it is left in `rest` */
    PEM_CERTIFICATES = 1 << 1, /* all of them, and at least one */
    PEM_CHAIN = 1 << 2,        /* all of them, or none */
    PEM_KEY = 1 << 3,          /* the first one */
};

/** Starts as zeros but for the arena; each text adds to it. */
struct pem {
    struct arena *arena; /* owns the certificates' bytes */
    struct pem_certificate *certificates;
    struct slice rest; /* of the text that PEM_LEAF was wanted of; no key was looked for in it */
    struct key *key;   /* the caller frees */
};

/**
 * Takes from a file's text what is wanted. What else is in it is passed over.
 *
 * Returns 0, or -1 with *err set (no place): ERR_SYNTAX (not PEM, nothing of what is wanted, key
 * with a pass phrase) or what key_decode() says. *pem holds what was taken before.
 */
int pem_parse(struct slice text, unsigned wanted, struct pem *pem, struct err *err);
