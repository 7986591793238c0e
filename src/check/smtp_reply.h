/* SPDX-License-Identifier: MIT */
/**
 * SMTP replies: from a server's octets, as they dribble in, to lines and codes.
 *
 * Pure: no I/O, no clock, no globals. All memory is in the struct; what a server can send is
 * capped. Source: RFC 5321 4.2 (grammar), 4.5.3.1.5 (a line has at most 512 octets).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"

enum {
    SMTP_LINE_MAX = 512, /* octets of a line that are kept, its line end counted */
    SMTP_LINES_MAX = 100,
    SMTP_OCTETS_MAX = 64 * 1024, /* of one reply */
};

enum smtp_reply_event {
    SMTP_REPLY_MORE,     /* all of the input is taken, and the reply goes on */
    SMTP_REPLY_LINE,     /* a line, and others follow it */
    SMTP_REPLY_LAST,     /* the last line; what is left of the input came after the reply */
    SMTP_REPLY_BROKEN,   /* a line that is none of SMTP's */
    SMTP_REPLY_TOO_LONG, /* more lines or octets than a server needs */
};

/** A reply being read. Zeroed to begin with, and again for the next reply. */
struct smtp_reply {
    int code;                 /* of the lines so far, 200 to 599; 0 before the first */
    char line[SMTP_LINE_MAX]; /* the line that is being read, without its line end */
    size_t line_len;
    bool is_complete; /* `line` has been given out; the next octet begins a new line */
    size_t n_lines, n_octets;
};

/**
 * Takes octets up to and including the next line end.
 *
 * input     what came; on return what has not been taken
 * ret_text  with SMTP_REPLY_LINE and SMTP_REPLY_LAST the text after the code, with
 *           SMTP_REPLY_BROKEN the line; any bytes; valid until the next call
 *
 * A bare LF ends a line too, as it does for real senders, and what exceeds SMTP_LINE_MAX is
 * dropped from the line's end.
 */
enum smtp_reply_event smtp_reply_read(struct smtp_reply *reply, struct slice *input,
                                      struct slice *ret_text);
