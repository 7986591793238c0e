/* SPDX-License-Identifier: MIT */
/**
 * mx patterns: their grammar, their matching, and the patterns that can only be mistakes.
 *
 * Pure: no I/O, no clock, no mutable globals. Safe to call from any thread.
 * Source: RFC 8461 3.2 (sts-policy-mx-value), 4.1 (matching), 10.4 (wildcards); RFC 5321 4.1.2
 * (Domain).
 */
#pragma once

#include <stdbool.h>

#include "lib/diag/config_finding.h"

struct policy;
struct slice;

/**
 * The grammar alone: ["*."] Domain in A-labels of either case; labels of 1 to 63 letters, digits
 * and inner hyphens, 253 octets at most without the "*.", the last label not all digits.
 *
 * Returns NULL, or what is wrong as the end of a sentence: "has an empty label".
 */
const char *mx_pattern_fault(struct slice pattern);

/** What mx_pattern_lint() found, and the end of a sentence that says it. */
struct mx_lint {
    enum finding finding; /* FINDING_NONE: nothing */
    const char *why;      /* static text, e.g. "is a policy host; an mx names a mail server" */
};

/**
 * Judges a pattern beyond its grammar, the gravest finding first: FINDING_MX_SYNTAX,
 * FINDING_MX_POLICY_HOST, FINDING_MX_NEVER_MATCHES, FINDING_MX_PUBLIC_SUFFIX,
 * FINDING_MX_PRIVATE_SUFFIX, FINDING_MX_UNLIKELY.
 */
struct mx_lint mx_pattern_lint(struct slice pattern);

/**
 * Whether `pattern` covers the MX host: equal without regard to case, or "*." standing for exactly
 * one whole label. A final dot of `host` is dropped. A pattern that is not well formed covers
 * nothing.
 */
bool mx_pattern_matches(struct slice pattern, struct slice host);

/** Whether any mx of `policy` covers the MX host. */
bool policy_covers(const struct policy *policy, struct slice host);
