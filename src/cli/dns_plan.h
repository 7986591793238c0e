/* SPDX-License-Identifier: MIT */
/**
 * The DNS plan: the records to publish for a configuration, and which of them are withheld.
 *
 * A policy must be served before its id is published (RFC 8461 8.1), so the _mta-sts TXT of a
 * domain is withheld if it has no certificate that senders accept, and never had one by what the
 * ledger and the running daemon know. The records of domains that left are to be deleted when no
 * sender holds their policies any more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag/exit_status.h"
#include "lib/dns/record.h"

struct cert_store;
struct config;
struct ledger;
struct served;

/** Which records are wanted. Everything belongs to the caller. */
struct dns_filter {
    const struct config *config;
    const char *const *domains; /* as written; n_domains 0: all domains */
    size_t n_domains;
    enum record_side side;       /* SIDE_COUNT: both */
    struct cert_store *store;    /* NULL: certificates are not checked */
    const struct served *served; /* NULL: no daemon is asked */
    bool is_served_only;         /* ids that the daemon does not serve are withheld */
    const struct ledger *ledger; /* NULL: nothing is known of what was published */
    int64_t now_unix_s;
};

struct dns_plan {
    struct arena *arena;
    bool is_whole;              /* of all domains, not of some */
    struct dns_record *records; /* by zone, within a zone by domain */
    size_t n_records;
    size_t n_withheld, n_unserved, n_unfetchable; /* n_unfetchable: domains */
    size_t n_left;                                /* records to delete */
};

/**
 * Lists the records. Names on standard error the first few ids that the daemon does not serve yet.
 *
 * ret_plan  for dns_plan_done() in any case; its texts live only as long as the configuration
 * Returns STATUS_GOOD, or STATUS_USAGE after saying which domain is unknown.
 */
enum exit_status dns_plan_make(const struct dns_filter *filter, struct dns_plan *ret_plan);

/** Frees what dns_plan_make() allocated. */
void dns_plan_done(struct dns_plan *plan);
