/* SPDX-License-Identifier: MIT */
/**
 * The report that prints TLSA records for the MX hosts seen, in zone file format: "3 1 1", the
 * SHA-256 digest of the key that a server has shown (RFC 7672 3.1.1).
 */
#pragma once

#include <stddef.h>

struct report_format;
struct tlsa_report;

/** Its state, report.state: the hosts that are printed already. Never returns NULL. */
struct tlsa_report *tlsa_report_new(void);

/** Takes NULL. */
void tlsa_report_free(struct tlsa_report *state);

/** How many hosts have shown no key. */
size_t tlsa_report_keyless(const struct tlsa_report *state);

extern const struct report_format report_tlsa;
