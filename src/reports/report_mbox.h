/* SPDX-License-Identifier: MIT */
/**
 * Mailbox files: the mails of an mbox one after the other, or the one thing that another file
 * holds.
 *
 * A "From " line parts two mails if it has a time and an empty line goes before it, so that a
 * sentence in a mail is none. GMime can part them too, but sets no bound to a mail, and one
 * that lacks its end takes the next with it.
 * One owner, one thread at a time. Source: RFC 4155 appendix A.
 */
#pragma once

#include <stdio.h>

struct err;
struct report_mbox;
struct slice;

/** in  to be read to its end; lives as long as the mailbox and stays open. Never NULL. */
struct report_mbox *report_mbox_new(FILE *in);

/** Takes NULL. */
void report_mbox_free(struct report_mbox *mbox);

/**
 * Reads the next mail, or a whole file that is no mbox.
 *
 * ret_mail  valid until the next call; without its "From " line, but for the first mail. Of more
 * than REPORT_MAIL_MAX bytes just one more is there, and the rest was skipped Returns 1, 0 at the
 * end, or -1 with *err set: ERR_IO.
 */
int report_mbox_next(struct report_mbox *mbox, struct slice *ret_mail, struct err *err);
