/* SPDX-License-Identifier: MIT */
/**
 * Input: the files of a configuration, each read into memory once it has settled.
 *
 * Internal to config/. One owner, one thread at a time.
 */
#pragma once

#include "lib/base/err.h"

struct arena;
struct diag;
struct input;
struct slice;

/**
 * care     a set of LOAD_*
 * keep     gets the names of files, which places show
 * scratch  gets the bytes of files; uncapped, like `keep`
 * diag     gets why a file cannot be used
 * Never returns NULL.
 */
struct input *input_new(unsigned care, struct arena *keep, struct arena *scratch,
                        struct diag *diag);

/** Takes NULL. */
void input_free(struct input *input);

/**
 * Reads one file.
 *
 * path       "-" is standard input
 * asked_at   the include that asked for the file; no place for the main file; a file that cannot be
 *            read is reported there
 * ret_name   of the file, as findings show it; set in any case
 * ret_bytes  of the file; untouched on failure
 * Returns 0, or -1 with a finding added.
 */
int input_read(struct input *input, const char *path, struct place asked_at, const char **ret_name,
               struct slice *ret_bytes);

/** Adds a finding for each file that has changed since it was read. */
void input_check(const struct input *input);
