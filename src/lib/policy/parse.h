/* SPDX-License-Identifier: MIT */
/**
 * Policy documents as a strict sender reads them.
 *
 * Pure: no I/O, no clock, no globals. Safe to call from any thread.
 * Source: RFC 8461 3.2.
 */
#pragma once

struct arena;
struct err;
struct policy;
struct slice;

/**
 * Parses a body as it came over HTTPS.
 *
 * body        any bytes, at most POLICY_FETCH_MAX
 * arena       owns what *ret_policy points to; a capped one bounds what a stranger's body costs
 * ret_policy  untouched on failure; mx patterns as they stand in the body
 * Returns 0, or -1 with *err set (place.line and column within the body): ERR_SYNTAX, ERR_LIMIT.
 */
int policy_parse(struct slice body, struct arena *arena, struct policy *ret_policy,
                 struct err *err);
