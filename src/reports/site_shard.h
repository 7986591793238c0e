/* SPDX-License-Identifier: MIT */
/**
 * Data of a site in files of a bounded size: NAME-0, NAME-1 and so on, each a script that hands an
 * array to the page. A page of a folder may load scripts, and nothing else (file: in browsers).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/json.h"

struct err;
struct site_output;

/** One file, "data-NAME.js", that hands its value to the page; the value is to be written next. */
int site_script_begin(struct site_output *output, const char *name, struct json_writer *ret_writer,
                      struct err *err);
int site_script_end(struct site_output *output, struct json_writer *writer, struct err *err);

/** Zeroed but for output and name. */
struct site_shard {
    struct site_output *output;
    const char *name;
    size_t n_files; /* that were begun */
    bool is_open;
    struct json_writer writer;
};

enum {
    SITE_SHARD_BYTES = 256 * 1024, /* when these are passed, the next item begins a file */
};

/**
 * Begins an item of the array, to be written to *ret_writer; in a new file if the last one is full.
 *
 * Returns 0, or -1 with *err set: ERR_IO. *ret_is_first tells whether it is the first in its file.
 */
int site_shard_next(struct site_shard *shard, struct json_writer **ret_writer, bool *ret_is_first,
                    struct err *err);

/** Ends the last file. Returns 0, or -1 with *err set: ERR_IO. */
int site_shard_end(struct site_shard *shard, struct err *err);
