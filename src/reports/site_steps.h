/* SPDX-License-Identifier: MIT */
/**
 * What to do next with a domain, and when: enforce, move the mail to other hosts, leave MTA-STS.
 *
 * Pure. Source: RFC 8461 8.1, 8.3.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena;
struct site_domain;

struct site_step {
    const char *title, *text; /* sentences */
    int64_t from_unix_s;      /* when it can be done; 0: now, or nobody knows */
};

enum {
    SITE_STEPS_MAX = 4,
};

/**
 * arena      owns texts; uncapped
 * ret_steps  what is most likely wanted comes first
 * Returns how many there are.
 */
size_t site_steps_list(const struct site_domain *domain, int64_t ready_after_days,
                       struct arena *arena, struct site_step ret_steps[static SITE_STEPS_MAX]);
