/* SPDX-License-Identifier: MIT */
/**
 * Domains that left, and delegations that ended: which records may be deleted, by what the ledger
 * knows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct config;
struct dns_record;
struct ledger_domain;

/**
 * Visits the records to delete of a domain: all of them, if it has no policy here any more and no
 * sender holds one (RFC 8461 8.3); those in a zone that the domain was delegated to, if it is not
 * any more and no sender holds a policy of that time. The values are those last published, so that
 * a tool deletes nothing else; a value that is not known is NULL.
 *
 * arena  uncapped; owns the texts
 * add    is given the records, which it copies, as often as there are some
 */
void dns_left_visit(const struct ledger_domain *domain, const struct config *config,
                    int64_t now_unix_s, struct arena *arena,
                    void (*add)(void *context, const struct dns_record *records, size_t n),
                    void *context);

/**
 * Says in words why there is nothing to delete yet of a domain that has left.
 *
 * domain  has been served a policy
 * Returns a text in the arena; NULL: the domain is here, or its records may be deleted.
 */
const char *dns_left_obstacle(const struct ledger_domain *domain, const struct config *config,
                              int64_t now_unix_s, struct arena *arena);
