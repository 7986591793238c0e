/* SPDX-License-Identifier: MIT */
/**
 * Judging the _mta-sts record: what a strict sender makes of the answers, and which accident of a
 * DNS panel is behind it.
 *
 * Pure but for the list of findings. Source: RFC 8461 3.1.
 */
#pragma once

#include <stdbool.h>

#include "lib/dns/record_parse.h"

struct arena;
struct dns_answer;
struct findings;

/** The answers. Those that were not asked for are NULL. */
struct txt_facts {
    const char *domain;
    const struct dns_answer *record;     /* TXT at _mta-sts.<domain> */
    const struct dns_answer *doubled;    /* TXT at _mta-sts.<domain>.<domain> */
    const struct dns_answer *apex;       /* TXT at the domain itself */
    const struct dns_answer *underscore; /* TXT at mta-sts.<domain>, the host's name */
    bool is_wildcard; /* `record` comes from a wildcard; nothing stands at _mta-sts itself */
};

/** The records of an answer, their strings joined; an array in the arena. */
struct slice *check_txt_list(const struct dns_answer *answer, struct arena *arena, size_t *ret_n);

/**
 * Says which records of the answer consist of several strings, where one has room for all (RFC 8461
 * 3.1, RFC 8460 3: they are joined without spaces).
 *
 * prefix  of the name below `domain`
 */
void check_txt_judge_split(const char *prefix, const char *domain, const struct dns_answer *answer,
                           struct findings *findings);

/**
 * Judges the record.
 *
 * ret_record  what a sender reads; untouched if there is no usable record
 * Returns whether senders that see the answer go on to fetch a policy.
 */
bool check_txt_judge(const struct txt_facts *facts, struct arena *arena, struct findings *findings,
                     struct sts_record *ret_record);

/**
 * Where a CNAME without records at its end leads, if that is a mistake of a DNS panel: the zone is
 * appended to the target. Returns the target that was meant, in the arena, or NULL.
 *
 * name, canonical  where the CNAME stands and where it leads
 */
const char *check_txt_doubled_target(const char *domain, const char *canonical,
                                     struct arena *arena);
