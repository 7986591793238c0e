/* SPDX-License-Identifier: MIT */
/**
 * Times in words for a person: "12 December 2026, 14:05 UTC", "2 weeks". Pure.
 */
#pragma once

#include <stdint.h>

enum {
    WHEN_SIZE = 48,
};

/** Writes a time in UTC, to the minute that ends after it. Returns the buffer. */
const char *when_date(int64_t unix_s, char buffer[static WHEN_SIZE]);

/** Writes a duration in the largest unit that leaves no rest: "1 week", "36 hours". Returns the
 * buffer. */
const char *when_duration(uint64_t seconds, char buffer[static WHEN_SIZE]);
