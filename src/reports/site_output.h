/* SPDX-License-Identifier: MIT */
/**
 * The folder of a site: all its files are written beside it, and take its place at once.
 *
 * Nobody ever reads half a file or files of two runs. A folder with anything else in it than such
 * files is left alone, since what it holds would be lost. One run at a time: a second one fails.
 * Not synced: a site is written again when the daemon starts.
 */
#pragma once

#include <stdio.h>

struct err;
struct site_output;

/**
 * Begins a site.
 *
 * directory  its folder; it need not be there, its parent does
 * Returns 0, or -1 with *err set: ERR_IO, ERR_CONFIG (another run writes it, or it has other
 * files).
 */
int site_output_open(const char *directory, struct site_output **ret_output, struct err *err);

/**
 * Begins a file, after the end of the one before.
 *
 * name  letters, digits, '-' and '.', not at its beginning
 * Returns its stream, which is the output's; NULL with *err set: ERR_IO.
 */
FILE *site_output_begin(struct site_output *output, const char *name, struct err *err);

/** Ends the file. Returns 0, or -1 with *err set: ERR_IO. */
int site_output_end(struct site_output *output, struct err *err);

/** Puts the new folder into the place of the old one. Returns 0, or -1 with *err set: ERR_IO. */
int site_output_publish(struct site_output *output, struct err *err);

/** Removes what was not published, or what was replaced. Takes NULL. */
void site_output_free(struct site_output *output);
