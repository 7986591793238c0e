/* SPDX-License-Identifier: MIT */
/**
 * What a check can find: the table behind --list-checks, the manual and every report.
 *
 * A code never changes once it is released. Pure data, safe from any thread.
 */
#pragma once

#include <stddef.h>

enum check_severity {
    CHECK_ERROR,   /* mail is or will be lost, or senders do not get the policy */
    CHECK_WARNING, /* some senders are hurt, or all of them later */
    CHECK_NOTE,
    CHECK_UNKNOWN, /* could not be tried from here */
    CHECK_SEVERITY_COUNT,
};

enum check_finding {
    /* the _mta-sts record */
    CHECK_TXT_MISSING,
    CHECK_TXT_BOGUS,
    CHECK_TXT_FAILED,
    CHECK_TXT_SYNTAX,
    CHECK_TXT_SEVERAL,
    CHECK_TXT_OTHERS,
    CHECK_TXT_LOOSE_VERSION,
    CHECK_TXT_QUOTES,
    CHECK_TXT_BACKSLASH,
    CHECK_TXT_SPLIT,
    CHECK_TXT_DOUBLED_NAME,
    CHECK_TXT_WRONG_NAME,
    CHECK_TXT_CNAME_DOUBLED,
    CHECK_TXT_CNAME_DANGLING,
    CHECK_TXT_CNAME_BESIDE,
    CHECK_TXT_WILDCARD,
    CHECK_TXT_TTL_LONG,
    CHECK_TXT_SERVERS_DIFFER,
    CHECK_TXT_SERVER_SILENT,
    CHECK_TXT_DELEGATED_ALONE,
    CHECK_ID_NOT_OURS,
    /* the policy host */
    CHECK_HOST_MISSING,
    CHECK_HOST_BOGUS,
    CHECK_HOST_FAILED,
    CHECK_HOST_CNAME_DOUBLED,
    CHECK_HOST_IPV6_ONLY,
    CHECK_HOST_WILDCARD,
    CHECK_HOST_ELSEWHERE,
    CHECK_HOST_ANY_POLICY,
    CHECK_HOST_ANY_CERTIFICATE,
    CHECK_ADDRESS_SPECIAL,
    CHECK_ADDRESS_NOT_ROUTED,
    CHECK_HOST_UNREACHABLE,
    CHECK_TLS_REFUSED,
    CHECK_TLS_OLD,
    CHECK_TLS_ONLY_1_2,
    CHECK_TLS_ONLY_1_3,
    CHECK_CERT_NAME,
    CHECK_CERT_EXPIRED,
    CHECK_CERT_NOT_YET_VALID,
    CHECK_CERT_EXPIRING,
    CHECK_CERT_SELF_SIGNED,
    CHECK_CERT_CHAIN,
    CHECK_CERT_UNTRUSTED,
    /* the policy */
    CHECK_HTTP_BROKEN,
    CHECK_HTTP_STATUS,
    CHECK_HTTP_REDIRECT,
    CHECK_HTTP_TYPE,
    CHECK_HTTP_ENCODED,
    CHECK_HTTP_VERSION,
    CHECK_HTTP_1_0,
    CHECK_HTTP_PARTIAL,
    CHECK_HTTP_USER_AGENT,
    CHECK_HTTP_TIMEOUT,
    CHECK_HTTP_SLOW,
    CHECK_HTTP_SLOWISH,
    CHECK_BODY_TOO_LARGE,
    CHECK_BODY_LARGE,
    CHECK_BODY_LONG,
    CHECK_POLICY_SYNTAX,
    CHECK_POLICY_DIFFERS,
    CHECK_POLICY_NOT_OURS,
    CHECK_POLICY_FIELD,
    CHECK_POLICY_MX_PATTERN,
    CHECK_MAX_AGE,
    CHECK_MAX_AGE_NOTE,
    CHECK_MODE_TESTING,
    CHECK_MODE_NONE,
    CHECK_NONE_WITHOUT_MX,
    /* the MX records */
    CHECK_MX_BOGUS,
    CHECK_MX_FAILED,
    CHECK_MX_NO_DOMAIN,
    CHECK_MX_IMPLICIT,
    CHECK_MX_NULL,
    CHECK_MX_ADDRESS,
    CHECK_MX_WILDCARD,
    CHECK_MX_NOT_IN_POLICY,
    CHECK_MX_ALL_ELSEWHERE,
    CHECK_MX_NEAR_MISS,
    CHECK_MX_PATTERN_UNUSED,
    /* TLS reporting */
    CHECK_TLS_RPT_MISSING,
    CHECK_TLS_RPT_FAILED,
    CHECK_TLS_RPT_SYNTAX,
    CHECK_TLS_RPT_NOT_OURS,
    CHECK_TLS_RPT_WILDCARD,
    CHECK_TLS_RPT_OLD_NAME,
    CHECK_RUA_NO_MX,
    CHECK_RUA_DOUBTFUL,
    CHECK_RUA_UNREACHABLE,
    CHECK_RUA_TWICE,
    CHECK_RUA_OWN_DOMAIN,
    CHECK_RUA_FAILING_WAY,
    /* limits of the check itself */
    CHECK_TOO_MANY_RECORDS,
    /* what would follow */
    CHECK_ENFORCE_WOULD_LOSE,
    /* MX hosts */
    CHECK_MX_CNAME,
    CHECK_MX_HOST_MISSING,
    CHECK_MX_HOST_BOGUS,
    CHECK_MX_HOST_FAILED,
    CHECK_MX_HOST_DOWN,
    CHECK_SMTP_UNREACHABLE,
    CHECK_SMTP_ADDRESS_DOWN,
    CHECK_SMTP_REFUSES_US,
    CHECK_SMTP_UNTRIED,
    CHECK_SMTP_BROKEN,
    CHECK_STARTTLS_MISSING,
    CHECK_STARTTLS_REFUSED,
    CHECK_STARTTLS_PLAINTEXT,
    CHECK_STARTTLS_FAILED,
    CHECK_SMTP_TLS_OLD,
    CHECK_SMTP_TLS_WEAK,
    CHECK_SMTP_DH_SMALL,
    CHECK_SMTP_CIPHERS_OLD,
    CHECK_MX_CERT_NAME,
    CHECK_MX_CERT_EXPIRED,
    CHECK_MX_CERT_EXPIRING,
    CHECK_MX_CERT_NOT_YET_VALID,
    CHECK_MX_CERT_SELF_SIGNED,
    CHECK_MX_CERT_CHAIN,
    CHECK_MX_CERT_UNTRUSTED,
    CHECK_MX_CERT_WEAK,
    CHECK_MX_CERT_KEY_SMALL,
    CHECK_MX_CERT_STAPLE,
    CHECK_SNI_BREAKS,
    CHECK_SNI_NEEDED,
    CHECK_SNI_CERTIFICATE,
    CHECK_TLSA_FAILED,
    CHECK_TLSA_INSECURE,
    CHECK_TLSA_UNUSABLE,
    CHECK_TLSA_WITHOUT_TLS,
    CHECK_TLSA_MISMATCH,
    CHECK_TLSA_NAME,
    CHECK_TLSA_CHAIN,
    CHECK_TLSA_COMBINATION,
    CHECK_FINDING_COUNT,
};

struct check_row {
    const char *code; /* "txt-missing" */
    enum check_severity severity;
    const char *meaning; /* what a sender does, one sentence without its full stop */
    const char *advice;  /* what to do, one sentence without its full stop */
    const char *source;  /* "RFC 8461 3.1" */
};

/** The row of `finding`, which is below CHECK_FINDING_COUNT. */
const struct check_row *check_row_of(enum check_finding finding);

/** "error", "warning", "note" or "unknown". */
const char *check_severity_name(enum check_severity severity);
