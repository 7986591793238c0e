/* SPDX-License-Identifier: MIT */
/**
 * CAA records: whether they let a certificate authority issue for a host, by http-01.
 *
 * Pure. The octets are a stranger's.
 * Source: RFC 8659 4 (properties), RFC 8657 (validationmethods).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct slice;

enum {
    CAA_FAULT_MAX = 256,
};

/**
 * The names by which the authority of an ACME directory is called in CAA records, or NULL if they
 * are not known.
 *
 * directory  its URL
 */
const char *caa_identity_of(const char *directory);

/**
 * Judges the relevant CAA records, which are not none.
 *
 * identity   NULL: of an authority whose name is unknown; then only what forbids all of them counts
 * ret_fault  unless they allow it: what completes "a CAA record of ... "
 */
bool caa_allows(const struct slice *rdata, size_t n_rdata, const char *identity,
                char ret_fault[static CAA_FAULT_MAX]);
