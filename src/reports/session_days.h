/* SPDX-License-Identifier: MIT */
/**
 * Sessions by day and reporter, as they are plotted.
 *
 * Of the types of policies, those count that the tally counts (report_tally.h). A failed session is
 * counted once, whatever ways of failing its reporter tells of. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/result_type.h"

struct arena;
struct report_entries;
struct report_tally;

enum {
    SESSION_CLASSES = RESULT_UNKNOWN + 1,
};

/** No sum passes INT64_MAX. */
struct session_counts {
    int64_t n_successful;
    int64_t n_failed[SESSION_CLASSES]; /* by enum result_class; those without a type are unknown */
};

/** What one reporter told of one day. */
struct session_day {
    int64_t day;     /* as report_day_of() */
    size_t reporter; /* of the tally; its n_reporters: one that the tally does not have */
    bool is_proven;
    struct session_counts counts;
};

struct session_days {
    const struct session_day *list; /* by day, then by reporter */
    size_t n;
};

/** Adds `more` to `sum`. */
void session_counts_add(struct session_counts *sum, const struct session_counts *more);

/** arena  owns the result; uncapped */
struct session_days session_days_make(const struct report_entries *entries,
                                      const struct report_tally *tally, struct arena *arena);
