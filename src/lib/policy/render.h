/* SPDX-License-Identifier: MIT */
/**
 * Policy documents: turn a validated policy into the bytes that senders fetch.
 *
 * Pure: no I/O, no clock, no globals. Safe to call from any thread.
 * Source: RFC 8461 3.2 (syntax and limits).
 */
#pragma once

struct arena;
struct err;
struct policy;
struct slice;

/**
 * Renders `policy` as the text served at /.well-known/mta-sts.txt: version, mode, each mx in the
 * given order, max_age; CRLF after every line, the last included.
 *
 * policy    its mx patterns passed mx_pattern_fault()
 * arena     owns *ret_body until it is reset
 * ret_body  NUL-terminated, at most POLICY_BODY_MAX bytes; untouched on failure
 * Returns 0, or -1 with *err set: ERR_LIMIT (the body would exceed POLICY_BODY_MAX, or the arena
 * its cap).
 */
int policy_render(const struct policy *policy, struct arena *arena, struct slice *ret_body,
                  struct err *err);
