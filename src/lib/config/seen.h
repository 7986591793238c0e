/* SPDX-License-Identifier: MIT */
/**
 * Seen files: what a load has read, to be compared at its end with what is there then.
 *
 * Nobody wrote a configuration of which one file is old and another new, or of half a file. A write
 * changes a file's time stamps only if they were older than one tick of the clock before, so a file
 * must have settled before it is read.
 * Internal to config/.
 */
#pragma once

#include <stddef.h>
#include <time.h>

#include "lib/base/err.h"

struct diag;
struct seen_file;
struct stat;

/** Zeroed to begin with; freed by seen_files_done(). */
struct seen_files {
    struct seen_file *items;
    size_t n_items, size;
};

/**
 * Waits until a file that was written a moment ago has settled.
 *
 * fd          what is not a regular file is not waited for
 * settle_ms   how old the time stamps must be; never waits longer than this
 * ret_status  of the file afterwards
 * Returns 0, or -1 with *err set: ERR_IO (fstat() fails, or the file was written meanwhile).
 */
int seen_file_settle(int fd, unsigned settle_ms, struct stat *ret_status, struct err *err);

/**
 * Remembers a file before it is read, if it is a regular file.
 *
 * path      as in file_open(); lives as long as `files`
 * asked_at  the include that asked for the file; line 0 for the main file
 */
void seen_files_add(struct seen_files *files, const char *path, struct place asked_at,
                    const struct stat *status);

/** Adds a finding for each file that has changed or is no longer at its path. */
void seen_files_check(const struct seen_files *files, struct diag *diag);

void seen_files_done(struct seen_files *files);
