/* SPDX-License-Identifier: MIT */
/**
 * Importing: the spool, files that a person names, and the mail that an MTA pipes, into the
 * database.
 *
 * Each stores what it reads in groups, and takes nothing out of the spool that the disk does not
 * have. One thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;
struct report_counts;
struct report_admission;
struct report_mail_reader;

/**
 * Takes all reports out of the spool of a state directory.
 *
 * ret_n_failed  what was no entry of the spool, or ended a reader, and was put aside there
 * Returns 0, or -1 with *err set as report_spool_next(), report_admission_add(); what was not
 * stored stays in the spool.
 */
int report_import_spool(struct report_admission *admission, const char *state_directory,
                        size_t *ret_n_failed, struct err *err);

/** How files are imported. */
struct report_import {
    struct report_admission *admission;
    struct report_mail_reader *reader;
    int64_t now_unix_s;
    size_t n_complaints; /* files that could not be used: said on standard error */
};

/**
 * Imports files, mailboxes and folders. Who names a file vouches for it.
 *
 * counts  added to
 * Returns 0, or -1 with *err set as report_admission_add().
 */
int report_import_files(struct report_import *import, char *const *paths, size_t n_paths,
                        struct report_counts *counts, struct err *err);

/**
 * Imports one mail. Only DKIM proves anything about it.
 *
 * Returns what an MTA takes for an answer, as report_sources_read_mail(): 0 only once the disk has
 * the reports.
 */
int report_import_mail(struct report_import *import, FILE *in, struct report_counts *counts,
                       struct err *err);
