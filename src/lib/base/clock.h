/* SPDX-License-Identifier: MIT */
/**
 * The clock: a value that is passed in, so that a test can own the time.
 */
#pragma once

#include <stdint.h>
#include <time.h>

struct clock {
    int64_t (*unix_s)(const struct clock *clock);        /* wall clock, seconds since 1970 */
    int64_t (*unix_ms)(const struct clock *clock);       /* the same in milliseconds */
    uint64_t (*monotonic_ms)(const struct clock *clock); /* never set back; its zero is arbitrary */
};

/** The machine's clock. */
extern const struct clock clock_system;

/** A time by clock_system's monotonic_ms, as functions that wait until CLOCK_MONOTONIC take it. */
struct timespec clock_timespec(uint64_t monotonic_ms);
