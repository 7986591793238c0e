/* SPDX-License-Identifier: MIT */
/**
 * The report limiter: how many reports are taken in a second, from one source and from all.
 *
 * A source is an IPv4 address or an IPv6 /64. The table of sources has a fixed size and is keyed
 * with a secret; whoever opens more sources than it has places is limited by the rate of all.
 * Safe from any thread; the lock is held for some nanoseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct report_limiter;

struct report_rate {
    unsigned per_second;
    unsigned burst; /* that may come at once after a pause */
};

/** Never returns NULL. */
struct report_limiter *report_limiter_new(struct report_rate per_source, struct report_rate all);

/** Takes NULL. */
void report_limiter_free(struct report_limiter *limiter);

/**
 * Counts a report, unless it is one too many.
 *
 * network  of the source (daemon/worker/clients.h); NULL: a proxy's, which is limited with all
 * alone now_ms   by the monotonic clock Returns whether the report may be taken.
 */
bool report_limiter_admit(struct report_limiter *limiter, const uint64_t *network, uint64_t now_ms);
