/* SPDX-License-Identifier: MIT */
/**
 * A TLS report as it was parsed (RFC 8460 4): what the sender said, with nothing made up.
 *
 * What a sender left out or wrote as null is NULL or UNKNOWN_COUNT, which is not 0. Texts are valid
 * UTF-8, as they came; what prints them escapes them. All of it lives in the arena it was parsed
 * into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNKNOWN_COUNT = -1,
};

enum tls_policy_type {
    TLS_POLICY_STS,
    TLS_POLICY_TLSA,
    TLS_POLICY_NONE, /* no-policy-found */
    TLS_POLICY_OTHER,
};

struct tls_failure {
    const char *result_type; /* verbatim; NULL: missing */
    const char *sending_ip, *receiving_host, *receiving_helo, *receiving_ip;
    const char *information, *reason;
    int64_t n_sessions; /* UNKNOWN_COUNT: not said */
};

struct tls_policy {
    enum tls_policy_type type;
    const char *type_text; /* verbatim */
    const char *domain;    /* A-labels, lower case, without a final dot; NULL: missing */
    const char *const *strings;
    size_t n_strings;
    const char *const *mx_hosts;
    size_t n_mx_hosts;
    int64_t n_successful, n_failed; /* of the summary alone; UNKNOWN_COUNT: not said */
    const struct tls_failure *failures;
    size_t n_failures;
};

struct tls_report {
    const char *organization, *contact, *report_id; /* NULL: missing */
    int64_t start_unix_s, end_unix_s;               /* UNKNOWN_COUNT: missing or unreadable */
    const struct tls_policy *policies;
    size_t n_policies;
};
