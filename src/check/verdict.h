/* SPDX-License-Identifier: MIT */
/**
 * The verdict: in one line, what senders do with mail for a domain.
 *
 * A sender that follows DANE does so wherever an MX host has TLSA records, whatever the policy
 * says (RFC 8461 2): it may refuse a host to which senders with MTA-STS alone deliver, and deliver
 * to one that they refuse.
 *
 * Pure, safe from any thread. Source: RFC 8461 5, RFC 7672 2.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/policy/policy.h"

enum verdict {
    VERDICT_ABSENT,  /* no MTA-STS */
    VERDICT_UNKNOWN, /* DNS did not answer, or no address could be tried */
    VERDICT_IGNORED, /* senders do not get the policy */
    VERDICT_NONE,    /* mode none */
    VERDICT_TESTING, /* enforce would work today */
    VERDICT_UNREADY, /* testing, and enforce would lose mail */
    VERDICT_ENFORCED,
    VERDICT_PARTLY_LOST, /* some MX hosts are refused */
    VERDICT_LOST,        /* all are */
    VERDICT_COUNT,
};

/** What the verdict follows from. */
struct verdict_facts {
    bool has_record;       /* senders see a usable _mta-sts record */
    bool is_record_absent; /* there is none, rather than a broken one */
    bool is_dns_unanswered;
    bool has_policy;                   /* senders take the policy from at least one address */
    bool is_host_untried;              /* no address could be tried from here */
    enum policy_mode mode;             /* with has_policy */
    size_t n_mx, n_refused, n_untried; /* MX hosts: all, those a sender refuses, those not tried */
    size_t n_dane, n_dane_refused, n_dane_untried; /* the same of MX hosts where DANE applies */
    size_t n_dane_only_refused;                    /* of n_dane_refused, not of n_refused */
    size_t n_dane_only_accepted; /* of n_refused, but a sender that follows DANE delivers */
};

/** Draws the conclusion for a sender with MTA-STS alone. */
enum verdict verdict_of(const struct verdict_facts *facts);

/**
 * Draws the conclusion for DANE alone: VERDICT_ABSENT (it applies to no MX host), VERDICT_UNKNOWN,
 * VERDICT_ENFORCED, VERDICT_PARTLY_LOST or VERDICT_LOST.
 */
enum verdict verdict_of_dane(const struct verdict_facts *facts);

/** Its code in JSON: "partly-lost". */
const char *verdict_code(enum verdict verdict);

enum {
    VERDICT_TEXT_MAX = 512,
};

/**
 * Writes the sentence that goes with verdict_of(), without its full stop. Where a sender that
 * follows DANE does something else, the sentence says what each does. Returns the buffer.
 */
const char *verdict_text(enum verdict verdict, const struct verdict_facts *facts,
                         char buffer[static VERDICT_TEXT_MAX]);
