/* SPDX-License-Identifier: MIT */
/**
 * Report mail: the TLS reports in a mail, in every shape that senders and gateways give them.
 *
 * A part is taken for a report by its first bytes, its media type or its file name, in that order
 * of trust: some senders call gzip JSON and JSON gzip, and some mail gateways call both bytes. A
 * mail without such a part is ordinary mail. Every part of a mail within a mail has an unknown
 * origin: whoever forwards a mail can write its fields.
 *
 * A reader has one owner, one thread at a time.
 * Source: RFC 8460 5.3 (the mail), 5.1 (the file name); RFC 2045, 2046 (MIME, by GMime).
 */
#pragma once

#include <stddef.h>

#include "lib/base/slice.h"

struct err;
struct report_mail_reader;
struct report_part;
struct report_taker;

enum {
    REPORT_MAIL_DEPTH_MAX = 16,      /* multiparts and mails within one another */
    REPORT_EVIDENCE_MAX = 64 * 1024, /* bytes kept of what can be no report */
};

/**
 * authserv_id  of the server whose Authentication-Results are believed; NULL: nobody's are. Lives
 *              as long as the reader
 * Returns a reader, never NULL.
 */
struct report_mail_reader *report_mail_reader_new(const char *authserv_id);

/** Takes NULL. */
void report_mail_reader_free(struct report_mail_reader *reader);

/**
 * Gives each part of one mail that is a report, or may be one, to `taker`. A mail that says it is a
 * report and holds none is given as a whole, with a fault, as is one beyond the limits here and in
 * mail_limits.h; of its bytes the first REPORT_EVIDENCE_MAX.
 *
 * mail   one mail; what stands before its fields is skipped: a byte order mark, blank lines, the
 *        "From " line of an mbox
 * ret_n  parts given; 0 is ordinary mail
 * Returns 0, or -1 with *err as the taker set it.
 */
int report_mail_read(struct report_mail_reader *reader, struct slice mail,
                     const struct report_taker *taker, size_t *ret_n, struct err *err);
