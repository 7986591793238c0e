/* SPDX-License-Identifier: MIT */
/**
 * Judging delegation: whether the record and the policy host lead to a provider together.
 *
 * Pure but for the list of findings. Source: RFC 8461 8.2.
 */
#pragma once

struct dns_answer;
struct findings;

/**
 * Judges a domain whose policy is fetched. What leads away from the domain is a CNAME to a name
 * outside of it. A policy host that does so alone is no fault: whoever changes the record has to be
 * told, and often is.
 *
 * record  TXT at _mta-sts.<domain>
 * host    A or AAAA at mta-sts.<domain>
 */
void check_delegation_judge(const char *domain, const struct dns_answer *record,
                            const struct dns_answer *host, struct findings *findings);
