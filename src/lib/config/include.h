/* SPDX-License-Identifier: MIT */
/**
 * Includes: from the patterns under include: to the files to read.
 *
 * Internal to config/.
 */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"

struct arena;
struct diag;
struct field_texts;

/** A file to read, and the pattern that asked for it. */
struct include_file {
    const char *path;
    struct place asked_at;
};

struct include_files {
    const struct include_file *items;
    size_t n_items;
};

/**
 * Finds the files, those of one pattern in the order of their names. A pattern is relative to the
 * folder of the main file; one that matches nothing is an error, and so is a file that is matched
 * twice or is the main file.
 *
 * main_path  "-": the patterns are relative to the working directory
 * arena      owns ret_files
 * Returns 0, or -1 with findings added; ret_files holds what was found nevertheless.
 */
int include_files_find(const char *main_path, const struct field_texts *patterns,
                       struct arena *arena, struct diag *diag, struct include_files *ret_files);

/**
 * Adds a finding for each pattern that does not match the same files as before.
 *
 * files  from include_files_find(), which has found nothing wrong
 */
void include_files_check(const char *main_path, const struct field_texts *patterns,
                         struct arena *arena, const struct include_files *files, struct diag *diag);
