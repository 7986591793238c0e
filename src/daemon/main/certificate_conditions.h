/* SPDX-License-Identifier: MIT */
/**
 * What an operator is to be told of the certificates of policy hosts, for `notify:`.
 *
 * Of a host whose certificates are ordered here, an order that waits for somebody's DNS, or for its
 * turn, is none of it: only a certificate that is lost, or is not renewed in time, and orders that
 * fail.
 */
#pragma once

struct acme_orders;
struct arena;
struct cert_scan;
struct condition_list;
struct config;

/**
 * Adds the conditions, at most one of each domain.
 *
 * scan    NULL: nobody looks at certificates; one that has not ended a pass knows none yet
 * orders  NULL: nothing is ordered
 * arena   for texts
 * list    has room for one of each domain more
 * Any thread.
 */
void certificate_conditions_add(struct cert_scan *scan, struct acme_orders *orders,
                                const struct config *config, struct arena *arena,
                                struct condition_list *list);
