/* SPDX-License-Identifier: MIT */
/**
 * MX hosts: what was seen of one, and what senders do with it.
 *
 * Pure, safe from any thread. All texts are escaped: they can be printed.
 * Source: RFC 8461 4.2 and 5 (MTA-STS), RFC 7672 2.2 (DANE).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "check/mx_cert.h"
#include "check/smtp_probe.h"
#include "check/special_address.h"
#include "check/tlsa.h"

struct arena;
struct dns_answer;

/** One connection to one address. */
struct mx_attempt {
    enum smtp_end end;
    enum smtp_stage stage;
    int sys_errno;
    int code;                /* of the last reply; 0: none came */
    const char *text;        /* of the last reply, in quotes */
    const char *fault;       /* of the handshake; "" */
    const char *tls_version; /* "TLSv1.3"; NULL without a handshake */
    int tls_number;          /* the same as TLS1_3_VERSION */
    struct smtp_strength strength;
    const struct mx_cert *cert;            /* NULL without one */
    struct tlsa_judgement tlsa;            /* of the chain, with cert, if the host has records */
    const struct tlsa_judgement *if_named; /* TLSA_NOT_NAMED: that of a certificate with the name */
    struct slice leaf;                     /* and the certificate, DER, which may name a next hop */
    uint64_t took_ms;
};

/** One address of a host. */
struct mx_address {
    struct sockaddr_storage socket;
    char text[ADDRESS_TEXT_SIZE];
    const char *special;               /* why it was not contacted, "a private address"; or NULL */
    const struct mx_attempt *named;    /* asking for the host's name; NULL: not tried */
    const struct mx_attempt *nameless; /* without SNI, to compare; NULL: not tried */
    const struct mx_attempt *narrow;   /* with the suites that all know; NULL: not tried */
};

struct mx_host {
    const char *name;
    const char *canonical; /* after CNAMEs; the name without any */
    const struct dns_answer *a, *aaaa;
    struct mx_address *addresses;
    size_t n_addresses, n_left_out;       /* left out: beyond MX_ADDRESSES_MAX */
    const struct dns_answer *tlsa;        /* NULL: not asked, as there is no address */
    const char *tlsa_base, *tlsa_name;    /* "mx.example", "_25._tcp.mx.example": asked last */
    struct tlsa_record *records;          /* of the answer, if senders may use it */
    size_t n_records, n_records_left_out; /* left out: beyond TLSA_RECORDS_MAX */
    bool has_run_out; /* of time: the addresses after the last that was tried are untried */
};

enum {
    MX_ADDRESSES_MAX = 16,
};

/** What a sender does. */
enum mx_outcome {
    MX_ACCEPTS, /* delivers, over at least one address */
    MX_REFUSES, /* does not deliver */
    MX_UNKNOWN, /* could not be tried from here */
};

/** The digest of a key (SubjectPublicKeyInfo) that a host has shown. */
struct mx_key {
    unsigned char sha256[32];
};

/**
 * Lists the keys that the host's addresses have shown to those who ask for its name, each once.
 *
 * ret_keys  an array in the arena
 * Returns how many.
 */
size_t mx_host_list_keys(const struct mx_host *host, struct arena *arena,
                         const struct mx_key **ret_keys);

/** Whether some address takes connections from here. */
bool mx_host_is_reached(const struct mx_host *host);

/** Whether each address was tried and takes none, as if the host were down or port 25 blocked. */
bool mx_host_is_down(const struct mx_host *host);

/** Whether DNSSEC secures the host's addresses, so that senders look for TLSA records. */
bool mx_host_is_secure(const struct mx_host *host);

/** Whether DNSSEC makes senders follow DANE; false too where its answer failed. */
bool mx_host_has_dane(const struct mx_host *host);

/** A DANE sender is to keep back mail since DNS failed: bogus, or no answer to its question. */
bool mx_host_dane_fails(const struct mx_host *host);

/** A DANE sender does as DANE says, rather than MTA-STS: there are records, or DNS failed. */
bool mx_host_follows_dane(const struct mx_host *host);

/** What a sender with an MTA-STS policy in mode enforce does that covers this host. */
enum mx_outcome mx_host_sts_outcome(const struct mx_host *host);

/**
 * What a sender does that follows DANE; as one with none where the host has no records.
 *
 * next_hop  the domain that the mail is for
 */
enum mx_outcome mx_host_dane_outcome(const struct mx_host *host, const char *next_hop);

/** The same of one connection. An attempt that is NULL is MX_UNKNOWN. */
enum mx_outcome mx_attempt_sts_outcome(const struct mx_attempt *attempt);
enum mx_outcome mx_attempt_dane_outcome(const struct mx_host *host,
                                        const struct mx_attempt *attempt, const char *next_hop);

/**
 * What a sender with mail for `next_hop` makes of the TLSA records beside the chain: with usage 2,
 * the certificate may name the next hop as well.
 */
const struct tlsa_judgement *mx_attempt_tlsa(const struct mx_attempt *attempt,
                                             const char *next_hop);

/** This machine has no way to such addresses, as without IPv6. */
bool mx_attempt_is_unrouted(const struct mx_attempt *attempt);

/** The server did not get so far, or refused us by who we are: that says nothing on its TLS. */
bool mx_attempt_is_untold(const struct mx_attempt *attempt);
