/* SPDX-License-Identifier: MIT */
/**
 * Readiness for an order: whether a policy host's names and CAA records in DNS let a certificate
 * authority issue a certificate to this server.
 *
 * Orders that fail count against the limits of the authority, so the daemon asks this first.
 * Source: RFC 8555 8.3 (http-01), RFC 8659 3 (CAA).
 */
#pragma once

#include <stdio.h>

struct config;
struct dns_source;

/**
 * Begins to look at each host; prints a line as soon as it is known, "HOST ready" or "HOST waiting
 * REASON". The answers come in the loop of the source.
 *
 * hosts   policy hosts, in stored form; outlive the answers, as all else does
 * config  has acme: and policy_host:
 */
void acme_ready_start(struct dns_source *dns, const struct config *config, const char *const *hosts,
                      size_t n_hosts, FILE *out);
