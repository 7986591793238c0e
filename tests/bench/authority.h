/* SPDX-License-Identifier: MIT */
/**
 * A throw-away certificate authority whose certificates have the size of real ones.
 *
 * A root with an RSA-4096 key, as public authorities have, and below it intermediates with P-256
 * keys that sign the hosts' certificates. A host's has what those of Let's Encrypt have: key
 * usages, both key identifiers, where to ask about the issuer, a policy and two SCTs (whose
 * signatures are random bytes: nobody checks them).
 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

enum {
    N_INTERMEDIATES = 4, /* among all hosts */
};

struct intermediate {
    X509 *certificate;
    EVP_PKEY *key;
};

/**
 * Reads the intermediates below `folder`, or makes them there.
 *
 * ret_intermediates  the caller's for the process's life. Once filled they are only read, so that
 *                    any thread may issue
 */
void authority_open(const char *folder, struct intermediate ret_intermediates[N_INTERMEDIATES]);

/** Makes a P-256 key and its certificate for one host; the caller frees both. */
void authority_issue(const struct intermediate *issuer, const char *host, X509 **ret_certificate,
                     EVP_PKEY **ret_key);

/** Ends the program with OpenSSL's own words unless `is_good`. */
void authority_require(int is_good, const char *what);
