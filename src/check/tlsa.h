/* SPDX-License-Identifier: MIT */
/**
 * TLSA records of an MX host, and what a sender that follows DANE makes of them and of a chain.
 *
 * Pure; the matching is OpenSSL's. One thread at a time.
 * Source: RFC 7672 3.1 (usages of SMTP), RFC 7671 5 (matching), 8 (each combination has a match),
 * 9 (digest agility), RFC 6698 2.1 (format).
 */
#pragma once

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct mx_trust;

enum {
    TLSA_RECORDS_MAX = 64, /* of one name that are judged */
    TLSA_TEXT_MAX = 64,    /* "3 1 1 0123456789abcdef..." */
};

/** Whether a sender can use a record, and why not. */
enum tlsa_use {
    TLSA_USABLE,
    TLSA_BAD_FORMAT,   /* shorter than its three numbers, or without data */
    TLSA_BAD_USAGE,    /* PKIX-TA(0), PKIX-EE(1), which SMTP does not have, or an unknown one */
    TLSA_BAD_SELECTOR, /* an unknown one */
    TLSA_BAD_MATCHING, /* an unknown one */
    TLSA_BAD_LENGTH,   /* a digest of another length than its matching type has */
    TLSA_BAD_DATA,     /* is to be a whole certificate or key and is none */
    TLSA_USE_COUNT,
};

struct tlsa_record {
    uint8_t usage, selector, matching;
    struct slice data; /* in the rdata */
    enum tlsa_use use;
};

/** Reads the data of a record and finds out what can be said without a chain. */
struct tlsa_record tlsa_parse(struct slice rdata);

/** The end of a sentence on a record: "has usage 1, which SMTP does not have". */
const char *tlsa_use_text(enum tlsa_use use);

/**
 * Writes the record as a person knows it: "3 1 1 0123456789abcdef...", the data cut.
 * Returns buffer.
 */
const char *tlsa_print(const struct tlsa_record *record, char buffer[TLSA_TEXT_MAX]);

/** What a sender with DANE does with an MX host that has these records and sent this chain. */
enum tlsa_verdict {
    TLSA_AUTHENTICATED, /* a record matches: it delivers */
    TLSA_NO_MATCH,      /* none matches: it does not deliver */
    TLSA_NOT_NAMED,     /* a usage 2 record matches, but the certificate has another name */
    TLSA_NOT_VALID,     /* a usage 2 record matches, but the chain is expired or broken */
    TLSA_ENCRYPTED,     /* no record is usable: it delivers over any TLS, without authentication */
};

struct tlsa_judgement {
    enum tlsa_verdict verdict;
    const char *words; /* of OpenSSL, on TLSA_NOT_VALID; else "" */
    size_t n_usable;
    uint64_t matches; /* a bit for each record: it matches a certificate of the chain */
    uint64_t ignored; /* a bit for each record: one of a stronger digest is used instead */
    uint64_t lacking; /* a bit for each usable record: none of its combination matches */
};

/**
 * Judges a chain by the records.
 *
 * records  from tlsa_parse(); those after the first TLSA_RECORDS_MAX are not looked at
 * chain    as sent, the leaf first, at least one certificate
 * name     that must stand in the certificate with usage 2; NULL: any does
 */
void tlsa_judge(const struct mx_trust *trust, const struct tlsa_record *records, size_t n_records,
                STACK_OF(X509) * chain, const char *name, int64_t now_unix_s,
                struct tlsa_judgement *ret_judgement);
