/* SPDX-License-Identifier: MIT */
/**
 * Seen files: what a load has read, to be looked at again at its end.
 *
 * A configuration of which one file is old and another new, or half a file, is one that nobody
 * wrote. Time stamps show that something was written only if the file had one that was not of this
 * very moment before: so a file is to have settled before it is read.
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
 * fd          regular, or there is nothing to wait for
 * settle_ms   how old its time stamps are to be, at most; longer is never waited for
 * ret_status  as it is then
 * Returns 0, or -1 with *err set: ERR_IO (it cannot be looked at, or was written meanwhile).
 */
int seen_file_settle(int fd, unsigned settle_ms, struct stat *ret_status, struct err *err);

/**
 * Remembers a file before it is read; nothing is done if that is no regular file.
 *
 * path      as in file_open(); lives as long as `files`
 * asked_at  the include that asked for it, or the main file as a whole
 */
void seen_files_add(struct seen_files *files, const char *path, struct place asked_at,
                    const struct stat *status);

/** Adds a finding for each file that has changed, or that its path no longer leads to. */
void seen_files_check(const struct seen_files *files, struct diag *diag);

void seen_files_done(struct seen_files *files);
