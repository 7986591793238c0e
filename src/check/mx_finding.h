/* SPDX-License-Identifier: MIT */
/**
 * Findings about an MX host: what is wrong with it for senders that follow MTA-STS or DANE.
 *
 * Pure but for the list of findings.
 */
#pragma once

#include <stdint.h>

struct findings;
struct mx_host;

/**
 * Adds all that there is to be said; the subject is the host, or the host and an address.
 *
 * next_hop  the domain that the mail is for
 */
void mx_host_report(const struct mx_host *host, const char *next_hop, int64_t now_unix_s,
                    struct findings *findings);
