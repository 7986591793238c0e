/* SPDX-License-Identifier: MIT */
/**
 * Lints of a whole policy: what follows the grammar and yet is likely a mistake.
 *
 * Pure: no I/O, no clock, no mutable globals. Safe to call from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/diag/config_finding.h"
#include "lib/policy/policy.h"

enum {
    POLICY_LINT_MAX = 192, /* bytes of a message, with its NUL */
};

/**
 * Judges one mx beside the others: FINDING_MX_DUPLICATE, FINDING_MX_INCOMPLETE, or FINDING_NONE.
 *
 * ret_why  static text, the end of a sentence that begins with the mx; untouched with FINDING_NONE
 */
enum finding policy_mx_lint(const struct policy *policy, size_t index, const char **ret_why);

/**
 * Judges max_age: FINDING_MAX_AGE_LONG, FINDING_MAX_AGE_SHORT, FINDING_MAX_AGE_BELOW_TWO_WEEKS, or
 * FINDING_NONE.
 *
 * why  gets a whole message; untouched with FINDING_NONE
 */
enum finding policy_max_age_lint(enum policy_mode mode, uint32_t max_age_s,
                                 char why[POLICY_LINT_MAX]);

/** What FINDING_NONE_WITHOUT_MX says of a policy of mode none that has no mx. */
extern const char policy_none_without_mx[];
