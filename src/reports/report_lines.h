/* SPDX-License-Identifier: MIT */
/**
 * Lines in reports: policies and MX hosts, which senders write as arrays, as one text, or as JSON
 * within a text.
 *
 * Pure. Source: RFC 8460 4.4 (arrays), 4 ("as a string ... separated by a semicolon").
 */
#pragma once

#include <stddef.h>

struct arena;
struct json_t;

/**
 * The lines of a "policy-string", without white space around them and without empty ones. An array
 * whose only text is an array again, as Microsoft writes TLSA records, is that one.
 *
 * value  anything, also NULL; what is no text is left out
 * arena  owns *ret_lines; uncapped
 */
void report_lines_of_policy(const struct json_t *value, struct arena *arena,
                            const char *const **ret_lines, size_t *ret_n);

/** The same of an "mx-host", whose lines may begin with "mx:". */
void report_lines_of_mx(const struct json_t *value, struct arena *arena,
                        const char *const **ret_lines, size_t *ret_n);
