/* SPDX-License-Identifier: MIT */
/**
 * Wishes: what one domain of the configuration wants in DNS.
 *
 * Pure, safe from any thread.
 */
#pragma once

struct config;
struct dns_wish;
struct domain;

/**
 * withheld  why the _mta-sts TXT record must wait; NULL: it need not
 * Returns a wish whose texts live as long as the configuration and `withheld`.
 */
struct dns_wish dns_wish_make(const struct config *config, const struct domain *domain,
                              const char *withheld);
