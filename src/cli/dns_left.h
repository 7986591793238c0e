/* SPDX-License-Identifier: MIT */
/**
 * Domains that left: which of their records may be deleted, by what the ledger knows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct config;
struct dns_record;
struct ledger_domain;

/**
 * Lists the records to delete of a domain that has no policy here any more and whose policies no
 * sender holds any more (RFC 8461 8.3). The values are those last published, so that a tool deletes
 * nothing else; a value that is not known is NULL.
 *
 * arena        uncapped; owns the array and its texts
 * ret_records  set if there are any
 * Returns how many; 0: the domain is here, or it is too early.
 */
size_t dns_left_list(const struct ledger_domain *domain, const struct config *config,
                     int64_t now_unix_s, struct arena *arena, struct dns_record **ret_records);
