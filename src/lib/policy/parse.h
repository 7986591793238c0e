/* SPDX-License-Identifier: MIT */
/**
 * Policy documents as a strict sender reads them.
 *
 * Pure: no I/O, no clock, no globals. Safe to call from any thread.
 * Source: RFC 8461 3.2.
 */
#pragma once

#include <stdint.h>

#include "lib/base/slice.h"

struct arena;
struct err;
struct policy;

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

/** A field that senders pass over, and that was likely meant to be a known one. */
struct policy_near_miss {
    struct slice name; /* as in the body: "nmx" */
    const char *meant; /* "mx" */
    uint32_t line;
    struct slice rest; /* of the body, behind that line */
};

/**
 * Finds the next near miss in a body that policy_parse() has taken.
 *
 * miss  the one before; at first, nothing but its rest is set, to the whole body
 * Returns 1, or 0 if there is none left.
 */
int policy_next_near_miss(struct policy_near_miss *miss);
