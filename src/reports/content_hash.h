/* SPDX-License-Identifier: MIT */
/**
 * The hash that tells whether two reports have the same content.
 */
#pragma once

struct slice;
struct tls_report;

enum {
    CONTENT_HASH_LEN = 32,
};

/**
 * SHA-256 of the JSON without its white space, which mail changes, and of the domains: a report
 * may leave them to the mail around it.
 *
 * report  NULL: what is no report; its bytes count as they are
 */
void content_hash_compute(struct slice bytes, const struct tls_report *report,
                          unsigned char ret_hash[static CONTENT_HASH_LEN]);
