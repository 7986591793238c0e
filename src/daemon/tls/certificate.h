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
#include <stddef.h>
#include <stdint.h>

#include "lib/diag/config_finding.h"

struct certificate;
struct chain_cache;
struct err;
struct ssl_st;
struct trust_store;

enum {
    CERTIFICATE_FILE_MAX = 256 * 1024, /* bytes of a chain or key file */
    CERTIFICATE_NAMES_MAX = 320,       /* a buffer for certificate_names_render() */
    CERTIFICATE_FINDINGS_MAX = 256,    /* for certificate_findings_render() */
    CERTIFICATE_ISSUER_MAX = 256,      /* for certificate_issuer_render() */
    CERTIFICATE_DATE_MAX = 32,         /* for certificate_date_render() */
};

/**
 * Reads a chain (leaf first) and its key from PEM files and checks that they belong together.
 *
 * key_path         may equal chain_path: one combined file, in any order
 * chains           where its intermediates are kept
 * ret_certificate  one reference; untouched on failure
 * Returns 0, or -1 with *err set (no place; the message names the file): ERR_IO (sys_errno),
 * ERR_SYNTAX (not PEM, no certificate, no key, key with a pass phrase), ERR_LIMIT (file too large),
 * ERR_CONFIG (no regular file, the key is another certificate's, or too weak for TLS).
 */
int certificate_load(const char *chain_path, const char *key_path, struct chain_cache *chains,
                     struct certificate **ret_certificate, struct err *err);

struct certificate *certificate_ref(struct certificate *certificate);

/** Takes NULL. */
void certificate_unref(struct certificate *certificate);

/** Whether both present the same leaf and the same chain. */
bool certificate_eq(const struct certificate *a, const struct certificate *b);

/** Whether a DNS name of the SAN covers `host` (stored form, lib/dns/name.h). */
bool certificate_covers(const struct certificate *certificate, const char *host);

/**
 * Writes the first 3 DNS names of the SAN as they are to be shown to a person: "'a.example',
 * 'b.example', 'c.example' and 5 more", or "no DNS name".
 *
 * buffer, size  at least CERTIFICATE_NAMES_MAX bytes; what is too long is cut
 * Returns buffer.
 */
const char *certificate_names_render(const struct certificate *certificate, char *buffer,
                                     size_t size);

/**
 * Writes the name of who has issued it, as "CN=R11,O=Let's Encrypt,C=US"; what is not printable
 * ASCII is escaped, and what is too long is cut.
 *
 * buffer, size  at least CERTIFICATE_ISSUER_MAX bytes
 * Returns buffer.
 */
const char *certificate_issuer_render(const struct certificate *certificate, char *buffer,
                                      size_t size);

/** Where its leaf was read from. */
const char *certificate_path(const struct certificate *certificate);

/** The ends of its life; both belong to it. */
int64_t certificate_not_before_unix_s(const struct certificate *certificate);
int64_t certificate_not_after_unix_s(const struct certificate *certificate);

/**
 * What is wrong with serving this certificate for `host` at this time: a set of
 * FINDING_CERTIFICATE_{NAME, SELF_SIGNED, UNTRUSTED, EXPIRED, EXPIRING, NOT_YET_VALID, CHAIN}.
 * EXPIRING is the last sixth of its life. CHAIN: an intermediate is missing or out of order.
 * UNTRUSTED: no root of the trust store issued a certificate of the chain, as a sender would see
 * it.
 *
 * host   NULL: the names are not judged
 * trust  NULL or empty: roots are not judged
 */
finding_set certificate_check(const struct certificate *certificate, const char *host,
                              int64_t now_unix_s, const struct trust_store *trust);

/**
 * Says in words for a person what certificate_check() found, with dates: "expired on
 * 2026-01-31T00:00:00Z; ...". FINDING_CERTIFICATE_NAME is left to certificate_names_render().
 *
 * buffer, size  at least CERTIFICATE_FINDINGS_MAX bytes
 * Returns buffer.
 */
const char *certificate_findings_render(const struct certificate *certificate, finding_set findings,
                                        char *buffer, size_t size);

/** Writes a time as ISO 8601 in UTC, "2026-01-31T00:00:00Z". Returns buffer. */
const char *certificate_date_render(int64_t unix_s, char buffer[static CERTIFICATE_DATE_MAX]);

/**
 * Makes a handshake present this certificate; called from the servername callback.
 * Returns 0, or -1 when OpenSSL refuses, whose error queue then holds the reason.
 */
int certificate_install(struct certificate *certificate, struct ssl_st *ssl);
