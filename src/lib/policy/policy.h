/* SPDX-License-Identifier: MIT */
/**
 * The policy: what a domain asks of those who send it mail.
 *
 * Source: RFC 8461 3.2, 5.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

enum policy_mode {
    POLICY_TESTING,
    POLICY_ENFORCE,
    POLICY_MODE_NONE,
    POLICY_MODE_COUNT,
};

enum {
    POLICY_BODY_MAX = 10 * 1024,    /* bytes; chasquid cuts a longer body off here */
    POLICY_BODY_ADVISED = 4 * 1024, /* bytes; a checker warns above */
    POLICY_FETCH_MAX = 64 * 1024,   /* bytes of a body that senders should take (3.2) */
    POLICY_MAX_AGE_MAX = 31557600,  /* seconds (3.2) */
};

struct policy {
    enum policy_mode mode;
    uint32_t max_age_s;
    const struct slice *mx; /* mx patterns, lower-case A-labels when they are ours */
    size_t n_mx;
};

/** The word of the grammar: "testing", "enforce" or "none". */
const char *policy_mode_name(enum policy_mode mode);

/** The mode with this name, case-sensitive, or POLICY_MODE_COUNT. */
enum policy_mode policy_mode_find(struct slice name);
