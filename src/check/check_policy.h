/* SPDX-License-Identifier: MIT */
/**
 * Judging the policy: the bodies that the addresses of the policy host have served.
 *
 * Pure but for the list of findings. Source: RFC 8461 3.2, 8.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"
#include "lib/policy/policy.h"

struct arena;
struct findings;

/** A body and the address that has served it. */
struct served_body {
    const char *address;
    struct slice body;
    bool is_taken; /* a strict sender takes what came with it: certificate, status, media type */
};

/** The policy that our configuration has for the domain; all zero: the domain is not ours. */
struct policy_wanted {
    struct slice body;
    const char *id;
};

/**
 * Judges what was served, each body once, and says where bodies differ from one another and from
 * our configuration.
 *
 * ret_policy  the first that was taken, or else the first that can be parsed; its texts point into
 *             the body
 * Returns whether there is such a policy.
 */
bool check_policy_judge(const struct served_body *bodies, size_t n,
                        const struct policy_wanted *wanted, struct arena *arena,
                        struct findings *findings, struct policy *ret_policy);
