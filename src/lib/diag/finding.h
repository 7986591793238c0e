/* SPDX-License-Identifier: MIT */
/**
 * Findings: everything that can be said about a configuration, one row of a table each.
 *
 * The code in the row is what a person reads, writes under `allow:` and searches for; it never
 * changes once released. Pure data, safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct slice;

enum level {
    LEVEL_ERROR,   /* the configuration is refused */
    LEVEL_WARNING, /* it works today and hurts tomorrow */
    LEVEL_NOTE,    /* worth knowing */
    LEVEL_COUNT,
};

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
    /* warnings */
    FINDING_MX_PRIVATE_SUFFIX,
    FINDING_MAX_AGE_SHORT,
    FINDING_MAX_AGE_LONG,
    FINDING_ENFORCE_UNREPORTED,
    FINDING_BODY_LONG,
    FINDING_RUA_NOT_SERVED,
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
    FINDING_POLICY_UNUSED,
    FINDING_POLICY_HOST_UNSET,
    FINDING_KEY_LATER,
    FINDING_COUNT,
};

/** A set of findings, one bit each; what a domain's `allow:` holds. */
typedef uint64_t finding_set;

struct finding_row {
    const char *code; /* "mx-is-policy-host" */
    enum level level;
    const char *meaning; /* one sentence for the manual and --json */
};

/** The row of `finding`; never NULL for a finding below FINDING_COUNT. */
const struct finding_row *finding_row(enum finding finding);

/** The finding with this code, or FINDING_NONE. */
enum finding finding_find(struct slice code);

/** "error", "warning" or "note". */
const char *level_name(enum level level);

/** The set that holds `finding` alone. */
finding_set finding_bit(enum finding finding);
