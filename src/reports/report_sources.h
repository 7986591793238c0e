/* SPDX-License-Identifier: MIT */
/**
 * Report sources: the files, mailboxes and folders that a person names, and the mail that an MTA
 * pipes, down to their parts.
 *
 * A file is what its first bytes say: JSON or gzip, an mbox, else a mail. Of folders all is read
 * but hidden files and the unfinished mails of a Maildir.
 * One thread at a time. Source: sysexits.h (what MTAs understand).
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct err;
struct report_mail_reader;
struct report_taker;

struct report_counts {
    size_t n_files;    /* read */
    size_t n_mails;    /* in them, or on standard input */
    size_t n_ordinary; /* of the mails: without a report */
    size_t n_others;   /* of the files below a folder: neither a report nor a mail */
};

/**
 * Gives the parts of a file, of all mails of a mailbox, or of all files of a folder and below.
 *
 * taker   hears of each file that cannot be used, and the reading goes on
 * counts  added to
 * Returns 0, or -1 with *err as the taker set it.
 */
int report_sources_read(struct report_mail_reader *reader, const char *path,
                        const struct report_taker *taker, struct report_counts *counts,
                        struct err *err);

/**
 * Gives the parts of one mail, or of one report without a mail, and reads `in` to its end.
 *
 * Returns what an MTA takes for an answer: EX_OK, also for ordinary mail, which would bounce
 * otherwise; EX_DATAERR with *err set, neither a mail nor a report; EX_TEMPFAIL with *err set, by
 * the taker or by reading: the MTA keeps the mail and comes again.
 */
int report_sources_read_mail(struct report_mail_reader *reader, FILE *in,
                             const struct report_taker *taker, struct report_counts *counts,
                             struct err *err);
