/* SPDX-License-Identifier: MIT */
/**
 * The findings about a configuration and its certificates: the table of each program that loads a
 * configuration. The lowest folder that both lib/yaml and lib/policy know holds the table.
 *
 * A person writes these codes under `allow:` too. Pure data, safe from any thread.
 */
#pragma once

#include <stdint.h>

#include "lib/diag/finding.h"

struct slice;

enum finding {
    FINDING_NONE,
    /* errors: the file */
    FINDING_SYNTAX,
    FINDING_YAML_FEATURE,
    FINDING_TOO_LARGE,
    FINDING_FILE_UNREADABLE,
    FINDING_INCLUDE_EMPTY,
    FINDING_KEY_UNKNOWN,
    FINDING_KEY_DUPLICATE,
    FINDING_KEY_MISSING,
    FINDING_KEY_CONFLICT,
    FINDING_WRONG_TYPE,
    FINDING_BAD_VALUE,
    /* errors: domains and policies */
    FINDING_NAME_SYNTAX,
    FINDING_NAME_TOO_LONG,
    FINDING_DOMAIN_DUPLICATE,
    FINDING_POLICY_UNKNOWN,
    FINDING_MX_MISSING,
    FINDING_MX_SYNTAX,
    FINDING_MX_POLICY_HOST,
    FINDING_MX_NEVER_MATCHES,
    FINDING_MX_PUBLIC_SUFFIX,
    FINDING_MAX_AGE_LIMIT,
    FINDING_BODY_LIMIT,
    FINDING_RUA_SYNTAX,
    FINDING_POLICY_HOST_LOOP,
    FINDING_USER_UNKNOWN,
    /* warnings */
    FINDING_MX_PRIVATE_SUFFIX,
    FINDING_MX_UNLIKELY,
    FINDING_MX_INCOMPLETE,
    FINDING_MAX_AGE_SHORT,
    FINDING_MAX_AGE_LONG,
    FINDING_ENFORCE_UNREPORTED,
    FINDING_BODY_LONG,
    FINDING_RUA_NOT_SERVED,
    FINDING_RELOAD_UNREADABLE,
    FINDING_PROGRAM_UNUSABLE,
    FINDING_ACME_RATE,
    FINDING_ACME_UNANSWERED,
    FINDING_RUA_DOUBTFUL,
    FINDING_ZONE_UNCLEAR,
    FINDING_CERTIFICATE_UNREADABLE,
    FINDING_CERTIFICATE_UNUSABLE,
    FINDING_CERTIFICATE_MISSING,
    FINDING_CERTIFICATE_NAME,
    FINDING_CERTIFICATE_SELF_SIGNED,
    FINDING_CERTIFICATE_UNTRUSTED,
    FINDING_CERTIFICATE_EXPIRED,
    FINDING_CERTIFICATE_EXPIRING,
    FINDING_CERTIFICATE_NOT_YET_VALID,
    FINDING_CERTIFICATE_CHAIN,
    /* notes */
    FINDING_MAX_AGE_BELOW_TWO_WEEKS,
    FINDING_NONE_WITHOUT_MX,
    FINDING_MX_DUPLICATE,
    FINDING_POLICY_UNUSED,
    FINDING_ALLOW_IDLE,
    FINDING_POLICY_HOST_UNSET,
    FINDING_KEY_IDLE,
    FINDING_COUNT,
};

/** The table; its rows are indexed by enum finding. */
extern const struct finding_table config_findings;

/** A set of these findings, one bit each; what a domain's `allow:` holds. */
typedef uint64_t finding_set;

/** The row of `finding`; never NULL for a finding below FINDING_COUNT. */
const struct finding_row *finding_row(enum finding finding);

/** The finding with this code, or FINDING_NONE. */
enum finding finding_find(struct slice code);

/** The set that holds `finding` alone. */
finding_set finding_bit(enum finding finding);
