/* SPDX-License-Identifier: MIT */
/**
 * Mail limits: whether a mail may be given to GMime.
 *
 * GMime 3.2.13 makes objects of each field, address, parameter and part, up to 500 bytes for three
 * of the mail; it needs 13 s for 64,000 addresses without a domain in one field, and its stack
 * overflows with as many groups. So what may be fields and parts is counted before, in one pass
 * that knows only lines.
 * Pure, safe from any thread.
 */
#pragma once

#include <stdbool.h>

struct slice;

enum {
    REPORT_MAIL_MAX = 16 * 1024 * 1024, /* bytes of a mail */
    MAIL_FIELD_MAX = 16 * 1024,         /* bytes of a field, but for "X-" fields */
    MAIL_FIELDS_MAX = 256 * 1024,       /* bytes of all such fields */
    MAIL_FIELD_LINES_MAX = 50000,
    MAIL_PART_LINES_MAX = 10000, /* lines that begin with "--", as each part does */
};

/** Returns the limit that the mail is beyond, as a sentence for people, or NULL. */
const char *mail_limits_find(struct slice mail);

/** "Name: ", also "Name : "; RFC 5322 2.2. */
bool mail_line_may_be_field(struct slice line);

/** Whether the beginning of a mail that is not to be parsed says that it is a TLS report. */
bool mail_limits_is_report(struct slice mail);
