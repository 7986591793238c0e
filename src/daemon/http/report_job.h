/* SPDX-License-Identifier: MIT */
/**
 * Report jobs: reports on their way from a worker's request to the disk and back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/state/spool.h"

struct report_job {
    struct report_job *prev, *next; /* in the keeper's queue */
    struct spool_report report;
    /* Called once, in a thread of the keeper's: its result is set. The job belongs to the callee.
     */
    void (*done)(struct report_job *job);
};

/**
 * Takes a report to be kept; safe from any thread, and never waits.
 *
 * n_max  jobs that may be under way with this one
 * Returns false if there are too many: the job stays the caller's.
 */
typedef bool report_keep(void *context, struct report_job *job, size_t n_max);
