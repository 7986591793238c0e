/* SPDX-License-Identifier: MIT */
/**
 * Dates in reports: RFC 3339, and what else senders write for one.
 *
 * Pure. Source: RFC 3339 5.6; what Microsoft (no zone) and others send.
 */
#pragma once

#include <stdint.h>

struct slice;

/**
 * Reads "2026-01-01T00:00:00Z", also with an offset, a fraction, a space for the T, without a zone
 * (which is UTC), without a time (its midnight); or seconds or milliseconds since 1970.
 *
 * ret_unix_s  from 1970 until the year 9999; untouched on failure
 * Returns 0, or -1 if it is none of these.
 */
int report_date_parse(struct slice text, int64_t *ret_unix_s);
