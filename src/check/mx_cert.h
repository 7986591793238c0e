/* SPDX-License-Identifier: MIT */
/**
 * Certificates of MX hosts: what a sender with an MTA-STS policy thinks of the chain it was sent.
 *
 * Pure but for the trust store, whose files OpenSSL reads when it needs them. One thread at a time.
 * Source: RFC 8461 4.2 (a trusted chain, not expired, the MX host's name as a DNS-ID), RFC 6125 6.4
 * (matching of names), RFC 5280 6 (validation).
 */
#pragma once

#include <openssl/types.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct mx_trust;

/** What is wrong with a certificate or its chain; a set of these. */
enum mx_cert_fault {
    MX_CERT_SELF_SIGNED = 1 << 0,
    MX_CERT_UNTRUSTED = 1 << 1,  /* the chain ends in a root that is not trusted */
    MX_CERT_INCOMPLETE = 1 << 2, /* an issuer was neither sent nor is it a trusted root */
    MX_CERT_EXPIRED = 1 << 3,
    MX_CERT_NOT_YET_VALID = 1 << 4,
    MX_CERT_WEAK = 1 << 5,  /* a key or a digest that is too weak for all; weakness says which */
    MX_CERT_OTHER = 1 << 6, /* anything else; mx_cert.words says what */
    MX_CERT_NAME = 1 << 7,  /* does not name the MX host */
};

enum {
    MX_CERT_TEXT_MAX = 400,
    MX_CERT_NAMES_SHOWN = 6,
};

/** A verdict. All texts are escaped: they can be printed. */
struct mx_cert {
    unsigned faults;          /* enum mx_cert_fault; 0: a sender accepts the certificate */
    const char *words;        /* of OpenSSL on the first fault but MX_CERT_NAME, or "" */
    const char *weakness;     /* of OpenSSL on MX_CERT_WEAK; else NULL */
    int small_key_bits;       /* of a key in the chain that is too small for some; 0: of none */
    bool must_staple;         /* the leaf demands that an OCSP answer comes with it */
    bool is_named_in_subject; /* with MX_CERT_NAME: the name stands in the subject alone */
    int64_t starts_unix_s;    /* the leaf's notBefore */
    int64_t ends_unix_s;      /* the first notAfter among the certificates without the root */
    unsigned char leaf_sha256[32]; /* of the whole certificate */
    unsigned char key_sha256[32];  /* of its SubjectPublicKeyInfo: what "3 1 1" says */
    char names[MX_CERT_TEXT_MAX];  /* "'a.example', 'b.example' and 3 more"; "" without any */
    char issuer[MX_CERT_TEXT_MAX]; /* who issued the last certificate that was sent */
};

/**
 * Judges a chain.
 *
 * chain  as sent, the leaf first, at least one certificate
 * host   the MX host's name in A-labels; a final dot is dropped
 * Never fails: what OpenSSL cannot do is MX_CERT_OTHER.
 */
void mx_cert_judge(const struct mx_trust *trust, STACK_OF(X509) * chain, const char *host,
                   int64_t now_unix_s, struct mx_cert *ret_cert);

/** Whether a certificate (DER) names the host, as a sender with DANE sees it: in its SAN or, where
 * that has no DNS name, in its subject. */
bool mx_cert_names(struct slice certificate, const char *host);
