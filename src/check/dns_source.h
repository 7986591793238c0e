/* SPDX-License-Identifier: MIT */
/**
 * DNS source: where the check asks its questions, so that a test can answer them.
 *
 * One thread, that of the loop. check/resolver.h is the source that asks real name servers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct slice;
struct dns_query;
struct dns_source;

/** Types of resource records, by their numbers on the wire. */
enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_TLSA = 52,
    DNS_TYPE_CAA = 257,
};

enum dns_status {
    DNS_OK,
    DNS_NODATA,   /* the name exists, records of this type do not */
    DNS_NXDOMAIN, /* the name does not exist */
    DNS_BOGUS,    /* DNSSEC: the answer has been tampered with, or its zone is signed wrongly */
    DNS_FAILED,   /* no answer, or one that says that the server failed */
};

/** An answer. What it points to is valid in the callback only. */
struct dns_answer {
    enum dns_status status;
    bool secure;           /* DNSSEC proves the answer; also that there is none */
    const char *canonical; /* the name that owns the records after CNAMEs, no final dot */
    uint32_t ttl_s;
    const struct slice *rdata; /* as on the wire, names not compressed */
    size_t n_rdata;
    const char *why; /* DNS_BOGUS, DNS_FAILED: the end of a sentence, escaped; otherwise "" */
};

typedef void dns_answered(void *context, const struct dns_answer *answer);

struct dns_source {
    /**
     * Asks for records of a type. The callback comes once, never from inside ask(), unless the
     * query is cancelled before.
     *
     * name  a name in stored form (lib/dns/name.h) or with underscores, no final dot
     */
    struct dns_query *(*ask)(struct dns_source *source, const char *name, enum dns_type type,
                             dns_answered *callback, void *context);
    /** Ends a query that has not been answered. Takes NULL. */
    void (*cancel)(struct dns_query *query);
};

/** A copy whose all lies in the arena, which is uncapped. */
const struct dns_answer *dns_answer_copy(const struct dns_answer *answer, struct arena *arena);
