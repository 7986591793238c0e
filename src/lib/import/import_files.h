/* SPDX-License-Identifier: MIT */
/**
 * Files to import: what is in the folders that a person names, and what looks like a policy there.
 *
 * Symbolic links are followed, because several hosts often share one folder; a folder within itself
 * is not. Depth and number of entries are bounded. One owner, one thread at a time.
 */
#pragma once

#include <stddef.h>

#include "lib/import/import_name.h"

struct diag;
struct err;
struct import_files;

enum {
    IMPORT_DEPTH_MAX = 32,
    IMPORT_ENTRIES_MAX = 1000000, /* of all folders */
};

struct import_file {
    const char *path;
    const char *shown;  /* the path for people: in quotes and escaped if it has odd characters */
    const char *domain; /* that the path tells; NULL: none */
    enum import_look look;
};

/** Never NULL. */
struct import_files *import_files_new(void);

/** Takes NULL. */
void import_files_free(struct import_files *files);

/**
 * Adds a file, whatever its name is, or what looks like a policy in a folder and all below it;
 * ".well-known" is the only hidden folder that counts.
 *
 * diag  of import_findings: gets what cannot be read below `path`, or was left out
 * Returns 0, or -1 with *err set: ERR_IO (there is no such path).
 */
int import_files_add(struct import_files *files, const char *path, struct diag *diag,
                     struct err *err);

/** All files, in the order of paths; valid until the next import_files_add(). */
const struct import_file *import_files_list(const struct import_files *files, size_t *ret_n);
