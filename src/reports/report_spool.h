/* SPDX-License-Identifier: MIT */
/**
 * The spool's reader: takes reports out of the spool (lib/state/spool.h) once the database has
 * them.
 *
 * A report that ends the reader twice, by a crash or a limit, is put aside, so that no report keeps
 * the others from being read: its name is marked before it is given. One process at a time.
 */
#pragma once

#include <stddef.h>

#include "lib/base/slice.h"
#include "reports/report_meta.h"

struct arena;
struct err;
struct report_spool;

enum {
    REPORT_SPOOL_FAILED_MAX = 1000, /* reports in "failed"; the oldest go */
    REPORT_SPOOL_FILE_MAX = 2 * 1024 * 1024,
};

#define REPORT_SPOOL_MARK "reports.trying"

/** A report of the spool. */
struct spooled_report {
    struct slice body, content_type;
    struct report_meta meta; /* proves nothing yet */
};

/**
 * Opens the spool of a state directory for what lies in it now, the oldest first. None is an empty
 * one.
 *
 * Returns 0, or -1 with *err set: ERR_IO; ERR_CONFIG (another process reads the spool).
 */
int report_spool_open(const char *state_directory, struct report_spool **ret_spool,
                      struct err *err);

/** What was not forgotten stays in the spool. Takes NULL. */
void report_spool_close(struct report_spool *spool);

/**
 * Gives the next report. What is no report of the spool is put aside.
 *
 * arena  owns what *ret_report points to; uncapped
 * Returns 1, 0 when there is none left, or -1 with *err set: ERR_IO.
 */
int report_spool_next(struct report_spool *spool, struct arena *arena,
                      struct spooled_report *ret_report, struct err *err);

/**
 * Removes the files of all that was given since the last call: the database has them now.
 *
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int report_spool_forget(struct report_spool *spool, struct err *err);

/** How many were put aside since it was opened. */
size_t report_spool_n_failed(const struct report_spool *spool);
