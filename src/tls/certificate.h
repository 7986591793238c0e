/* SPDX-License-Identifier: MIT */
/**
 * A certificate with its chain and key: loaded, judged, put to use in a handshake.
 *
 * Immutable after loading and reference-counted (atomically): any thread may use and unref it.
 * Source: RFC 8461 3.3 and RFC 6125 6.4 (names in the SAN, never the CN; a wildcard is one whole
 * left-most label), RFC 8446 4.4.2.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/finding.h"

struct certificate;
struct err;
struct slice;
struct ssl_st;

enum {
    CERTIFICATE_FILE_MAX = 256 * 1024, /* bytes of a chain or key file */
};

/**
 * Reads a chain (leaf first) and its key from PEM files and checks that they belong together.
 *
 * key_path         may equal chain_path: one combined file, in any order
 * ret_certificate  one reference; untouched on failure
 * Returns 0, or -1 with *err set (no place; the message names the file): ERR_IO (sys_errno),
 * ERR_SYNTAX (not PEM, no certificate, no key, key with a pass phrase), ERR_LIMIT (file too large),
 * ERR_CONFIG (the key is another certificate's).
 */
int certificate_load(const char *chain_path, const char *key_path,
                     struct certificate **ret_certificate, struct err *err);

struct certificate *certificate_ref(struct certificate *certificate);

/** Takes NULL. */
void certificate_unref(struct certificate *certificate);

/** Whether a DNS name of the SAN covers `host` (stored form, dns/name.h). */
bool certificate_covers(const struct certificate *certificate, const char *host);

int64_t certificate_not_before_unix_s(const struct certificate *certificate);
int64_t certificate_not_after_unix_s(const struct certificate *certificate);

/**
 * What is wrong with serving this certificate for `host` at this time: a set of
 * FINDING_CERTIFICATE_{NAME, EXPIRED, EXPIRING, NOT_YET_VALID, CHAIN}.
 * EXPIRING is the last sixth of its life. CHAIN: an intermediate is missing or out of order; a leaf
 * that a root of the system's trust store issued needs none.
 */
finding_set certificate_check(const struct certificate *certificate, const char *host,
                              int64_t now_unix_s);

/**
 * Makes a handshake present this certificate; called from the servername callback.
 * Returns 0, or -1 when OpenSSL refuses (its error queue is left empty).
 */
int certificate_use(struct certificate *certificate, struct ssl_st *ssl);
