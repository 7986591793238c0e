/* SPDX-License-Identifier: MIT */
/**
 * Judging the MX records: which hosts take the domain's mail, and what the policy says of them.
 *
 * Pure but for the list of findings. Source: RFC 8461 4.1, RFC 5321 5.1, RFC 7505.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/mx_host.h"

struct arena;
struct dns_answer;
struct findings;
struct policy;

enum {
    MX_RECORDS_MAX = 32, /* hosts of a domain that are looked at */
};

/** A host that takes mail for the domain. */
struct mx_record {
    uint16_t preference;
    const char *host;          /* as rdata_name() has it */
    bool is_covered;           /* by the policy */
    enum mx_outcome sts, dane; /* what senders with such a policy do; MX_UNKNOWN: not visited */
    bool follows_dane;         /* a sender with DANE heeds `dane` instead of the policy */
    const struct mx_key *keys; /* that it has shown */
    size_t n_keys;
    bool is_secure;           /* its addresses, by DNSSEC */
    bool is_reached, is_down; /* takes connections from here; takes none at any address */
};

/**
 * Lists the MX hosts by preference and name: those of the answer, or the domain itself where there
 * are none. Says what is wrong with the records.
 *
 * ret_records  an array in the arena
 * Returns how many; 0 if the domain takes no mail or the answer does not say.
 */
size_t check_mx_list(const char *domain, const struct dns_answer *answer, struct arena *arena,
                     struct findings *findings, struct mx_record **ret_records);

/** Whether the record names a host that can be visited: no address, not the root. */
bool check_mx_is_host(const struct mx_record *record);

/** Says which hosts are down, where others show that it is not port 25 that is blocked. */
void check_mx_judge_down(const struct mx_record *records, size_t n, struct findings *findings);

/** Judges hosts and policy against each other, both ways; sets is_covered. */
void check_mx_judge(struct mx_record *records, size_t n, const struct policy *policy,
                    struct arena *arena, struct findings *findings);
