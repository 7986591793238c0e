/* SPDX-License-Identifier: MIT */
/**
 * The publication: the records of a configuration, those that must wait marked as withheld.
 *
 * A policy must be served before its id is published (RFC 8461 8.1): so the _mta-sts TXT of a
 * domain without a certificate waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "lib/dns/record.h"

struct cert_store;
struct config;
struct served;

/** What is wanted. Everything belongs to the caller. */
struct publication_choice {
    const struct config *config;
    const char *const *domains; /* as written; none: all */
    size_t n_domains;
    enum record_side side;       /* SIDE_COUNT: both */
    struct cert_store *store;    /* NULL: certificates are not looked at */
    const struct served *served; /* NULL: no daemon is asked */
    bool is_served_only;         /* ids that the daemon does not serve are withheld */
};

struct publication {
    struct arena *arena;
    struct dns_record *records; /* by zone, and within one by domain */
    size_t n_records;
    size_t n_withheld, n_unserved;
};

/**
 * Lists the records. Ids that the daemon does not serve yet are named on standard error, the first
 * few of them.
 *
 * ret_publication  for publication_done() in any case; its texts live as long as the configuration
 * Returns STATUS_GOOD, or STATUS_USAGE after saying which domain is unknown.
 */
enum exit_status publication_make(const struct publication_choice *choice,
                                  struct publication *ret_publication);

void publication_done(struct publication *publication);
