/* SPDX-License-Identifier: MIT */
/**
 * Record specifications: what one domain of the configuration publishes in DNS.
 *
 * Pure, safe from any thread.
 */
#pragma once

struct config;
struct domain_records_spec;
struct domain;

/**
 * withheld  why the _mta-sts TXT record must wait; NULL: it need not
 * Returns a spec whose texts live as long as the configuration and `withheld`.
 */
struct domain_records_spec domain_records_spec_make(const struct config *config,
                                                    const struct domain *domain,
                                                    const char *withheld);
