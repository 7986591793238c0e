/* SPDX-License-Identifier: MIT */
/**
 * Tidying JSON: brings what a stranger calls JSON into what jansson reads, within bounds.
 *
 * jansson refuses a document for one bad byte or one large number, and makes objects of all that
 * there is: 10 MiB of "{},{}," become more than 600 MiB. So this pass, which knows only texts,
 * brackets and numbers, counts before, and repairs what tells nothing about the report.
 *
 * Pure. Source: RFC 8259; RFC 7493 2 (I-JSON, which a report has to be: RFC 8460 4).
 */
#pragma once

#include "lib/base/slice.h"

struct arena;
struct err;

enum {
    JSON_TIDY_DEPTH_MAX = 16,         /* a report has 5 */
    JSON_TIDY_CONTAINERS_MAX = 20000, /* objects and arrays: one for each failure, some more */
    JSON_TIDY_VALUES_MAX = 300000,    /* commas and colons */
    JSON_TIDY_TEXT_MAX = 64 * 1024,   /* bytes of one text */
};

/**
 * Copies the object that `bytes` begin with, after a byte order mark and white space.
 *
 * Numbers become texts, digit for digit, so that no number is too large or loses a digit. Bytes
 * that are not UTF-8, halves of surrogate pairs and NULs become U+FFFD. A line end or tab within a
 * text is escaped, other control characters become U+FFFD. What stands after the object is left
 * out. The result may still be no JSON.
 *
 * arena  owns *ret_json; uncapped. It takes three times as many bytes
 * Returns 0, or -1 with *err set: ERR_SYNTAX, ERR_LIMIT. The message is the end of a sentence that
 * begins with the report: "is no JSON object".
 */
int json_tidy(struct slice bytes, struct arena *arena, struct slice *ret_json, struct err *err);
