/* SPDX-License-Identifier: MIT */
/**
 * The records to publish: from one domain's settings to resource records, before any output format.
 *
 * Pure: no I/O, no globals. Safe to call from any thread.
 * Source: RFC 8461 3.1, 8.2 (delegation); RFC 8460 3; RFC 1034 3.6.2 (a CNAME stands alone).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/dns/name.h"

struct arena;

enum record_type {
    RECORD_TXT,
    RECORD_CNAME,
    RECORD_A,
    RECORD_AAAA,
    RECORD_TYPE_COUNT,
};

/**
 * Who publishes a record. A domain is delegated if the TXT that carries its id is; without an id,
 * if that of TLS reporting is.
 */
enum record_side {
    SIDE_CUSTOMER, /* once, in the zone of a delegated domain */
    SIDE_PROVIDER, /* again when a policy changes: the delegation zone, domains not delegated */
    SIDE_COUNT,
};

/** One resource record. All names are in stored form (lib/dns/name.h): absolute, without a final
 * dot.
 */
struct dns_record {
    const char *domain; /* the policy domain that the record serves */
    const char *zone;   /* the zone in which to publish the record */
    const char *name;
    enum record_type type;
    enum record_side side;
    uint32_t ttl_s;
    const char *value;    /* TXT: the joined bytes, unquoted; CNAME: target; A, AAAA: address;
                             NULL in a record to delete: any */
    const char *policy;   /* the policy's name; NULL: the domain's own */
    const char *id;       /* of that policy; NULL in records that carry none */
    const char *withheld; /* why it must not be published yet; NULL: publish it */
    const char *left;     /* why it is to be deleted; NULL: it is not */
};

/** What one domain wants in DNS. Texts belong to the caller and are shared by the records. */
struct domain_records_spec {
    const char *domain;
    const char *zone;   /* the domain's zone: the domain itself or an ancestor */
    const char *policy; /* the policy's name; NULL: the domain's own */
    const char *id;     /* NULL: no MTA-STS, TLS reporting only */
    const char *const *rua;
    size_t n_rua;                 /* 0: no TLS reporting */
    const char *policy_host_name; /* CNAME target; NULL: addresses, or nothing is printed */
    const char *const *addresses; /* IPv4 and IPv6 in text */
    size_t n_addresses;
    const char *delegation_zone; /* needed by the two below */
    bool delegates_mta_sts;
    bool delegates_tls_rpt;
    uint32_t ttl_mta_sts_s;
    uint32_t ttl_policy_host_s;
    uint32_t ttl_tls_rpt_s;
    const char *withheld; /* why to withhold the _mta-sts TXT; NULL: publish it */
};

/**
 * Lists the records of one domain in their order: the _mta-sts record, those of the policy host
 * (addresses in the given order, A before AAAA), the _smtp._tls record; a delegated one as the
 * customer's CNAME followed by the provider's TXT. Only the TXT of _mta-sts is ever withheld.
 *
 * arena        uncapped; owns the array and the texts made for it
 * ret_records  the array
 * Returns how many.
 */
size_t dns_records_list(const struct domain_records_spec *spec, struct arena *arena,
                        struct dns_record **ret_records);

/** Whether the record is in the delegation zone, where nobody but the provider has records. */
bool dns_record_is_delegated(const struct dns_record *record);

/**
 * Of a record to delete: whether nobody else can have put there what is to be deleted: the value is
 * known, or the record is in the delegation zone.
 */
bool dns_record_is_surely_ours(const struct dns_record *record);

/** "TXT", "CNAME", "A" or "AAAA". */
const char *record_type_name(enum record_type type);

/** "customer" or "provider". */
const char *record_side_name(enum record_side side);

/** The labels put before a policy domain. */
#define DNS_PREFIX_MTA_STS "_mta-sts."
#define DNS_PREFIX_POLICY_HOST "mta-sts."
#define DNS_PREFIX_TLS_RPT "_smtp._tls."

/** What dns_policy_host_render() fills at most, with its NUL. */
#define POLICY_HOST_SIZE (sizeof(DNS_PREFIX_POLICY_HOST) + DNS_NAME_MAX)

/**
 * "mta-sts.<domain>", RFC 8461 3.3.
 *
 * domain  stored form (lib/dns/name.h)
 * Returns the buffer.
 */
const char *dns_policy_host_render(const char *domain, char buffer[static POLICY_HOST_SIZE]);
