/* SPDX-License-Identifier: MIT */
/**
 * The DNS difference: of the records to publish, those that live DNS lacks or has otherwise.
 *
 * The id of a policy that senders cannot fetch yet is withheld: the policy has to be served first
 * (RFC 8461 8.1).
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct check_session;
struct dns_format;

struct dns_diff {
    const char *const *domains; /* of the session's configuration, in stored form */
    size_t n_domains;
    size_t n_jobs; /* at a time, at least 1 */
    const struct dns_format *format;
    FILE *out;
};

struct dns_diff_counts {
    size_t n_different; /* records */
    size_t n_withheld;  /* of them: ids whose policy is not served */
    size_t n_unknown;   /* records that DNS gave no answer for */
};

/** Compares and prints. */
void dns_diff_run(const struct dns_diff *diff, struct check_session *session,
                  struct dns_diff_counts *ret_counts);
