/* SPDX-License-Identifier: MIT */
/**
 * Report parts: what a file or a mail holds that is a TLS report or may be one, and who takes it.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/slice.h"

struct err;

/** Who sent a mail, and whether the server that received the mail has proven that. */
struct report_origin {
    struct slice from_domain; /* of the one address in From, in stored form; empty: not known */
    bool is_dkim_verified;    /* a good signature of from_domain, or of a domain above it */
};

enum report_certainty {
    REPORT_PART_POSSIBLE, /* only the first bytes look like a report: other mail has such parts too
                           */
    REPORT_PART_DECLARED, /* the sender, or the person who named the file, says that it is one */
};

struct report_part {
    struct slice bytes;        /* without the encoding of the mail; compressed or not */
    struct slice content_type; /* "application/tlsrpt+gzip"; empty: a file's */
    struct slice file_name;    /* as the sender wrote it, in UTF-8, or a file's; may be empty */

    /* For what the report leaves out; as the sender wrote them; empty: the mail does not tell. */
    struct slice domain_hint;    /* the domain that the report is about */
    struct slice submitter_hint; /* TLS-Report-Submitter */

    enum report_certainty certainty;
    struct report_origin origin;
    const char *fault; /* why `bytes`, or what they begin, is no report; NULL: to be parsed */
};

/** Takes the parts one after the other; what a part points to is gone after the call. */
struct report_taker {
    /* Returns 0, or -1 with *err set when nothing more can be taken: the reading ends with it. */
    int (*take)(void *context, const struct report_part *part, struct err *err);
    /* Hears of a file that cannot be used; `why` ends a sentence that begins with the path. */
    void (*complain)(void *context, const char *path, const struct err *why);
    void *context;
};
