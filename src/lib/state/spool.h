/* SPDX-License-Identifier: MIT */
/**
 * The spool: reports that have come over HTTPS and that nobody has read yet, a file each, in the
 * directory "spool" of the state directory.
 *
 * A file is named by the time of its arrival, in microseconds since 1970, and 16 random hexadecimal
 * digits. It is written under a name that begins with a dot, synced and renamed, so that a crash
 * leaves a whole report or none. Who has read a report removes its file; reports that cannot be
 * read lie in the directory "failed" below, with their reasons. All files count for the quota.
 *
 * The functions wait for the disk. For one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/state/spool_entry.h"

struct clock;
struct err;
struct spool;

#define SPOOL_DIRECTORY "spool"
#define SPOOL_FAILED_DIRECTORY "failed"

enum {
    SPOOL_GROUP_MAX = 32, /* reports that are written together: each needs a descriptor */
    SPOOL_BLOCK = 4096,   /* bytes: each file counts for the quota by whole blocks */
};

/** What the spool may hold. */
struct spool_quota {
    uint64_t bytes_max;
    size_t files_max;
};

/** What it holds. */
struct spool_count {
    uint64_t bytes;
    size_t n_files;   /* the failed ones too */
    size_t n_waiting; /* of these, to be read */
};

enum spool_result {
    SPOOL_KEPT,   /* on the disk, whatever happens from now on */
    SPOOL_FULL,   /* the quota is used up */
    SPOOL_FAILED, /* the disk is full, or another error */
};

struct spool_report {
    struct spool_entry entry; /* its time is set when it is written */
    enum spool_result result;
};

/**
 * Opens the spool of a state directory, and makes it if it is missing. What a crash has left half
 * written is removed.
 *
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int spool_open(const char *state_directory, const struct spool_quota *quota,
               const struct clock *clock, struct spool **ret_spool, struct err *err);

/** Takes NULL. */
void spool_close(struct spool *spool);

/**
 * Writes reports and sets the result of each; the directory is synced once for all.
 *
 * reports  at most SPOOL_GROUP_MAX
 * Returns 0, or -1 with *err set if any report has failed: ERR_IO. A quota that is used up is no
 * failure.
 */
int spool_write(struct spool *spool, struct spool_report *const *reports, size_t n_reports,
                struct err *err);

/** Looks what there is: others remove files. Returns 0, or -1 with *err set: ERR_IO. */
int spool_recount(struct spool *spool, struct err *err);

/** By the last recount and what was written since. */
const struct spool_count *spool_counted(const struct spool *spool);
