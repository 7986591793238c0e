/* SPDX-License-Identifier: MIT */
/**
 * Pasted records: from what people copy out of dig, host, nslookup, zone files and DNS panels to
 * the bytes of each TXT record.
 *
 * Pure: no I/O, no globals. Safe to call from any thread.
 * Source: RFC 1035 5.1 (quotes, escapes, parentheses, comments).
 */
#pragma once

#include <stddef.h>

struct arena;
struct err;
struct slice;

/**
 * Finds the records in a text, one a line: a bare value, strings in quotes, or a line of a zone
 * file or of one of these programs. Comments, and the lines of other types, are passed over; where
 * nothing else is left, the text is taken as one value.
 *
 * arena    uncapped; owns the array and the values
 * ret_rrs  each with its strings joined, escapes resolved; a bare value is as it was written
 * ret_n    at least 1
 * Returns 0, or -1 with *err set: ERR_SYNTAX (UTF-16, a quote that is not closed, or comments and
 * nothing else).
 */
int record_paste_read(struct slice text, struct arena *arena, struct slice **ret_rrs, size_t *ret_n,
                      struct err *err);
