/* SPDX-License-Identifier: MIT */
/**
 * The document that the program of `notify:` gets on its standard input: notices as JSON.
 *
 * Its members are listed in mta-stsd(8). Texts may hold what strangers have written, with the
 * characters that JSON escapes; the summary is one line of printable ASCII, made of our own words.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/notify/notice_book.h"

enum {
    NOTICE_DOCUMENT_VERSION = 1,
    NOTICE_DOCUMENT_MAX = 1000, /* notices; how many more there are is a number */
    NOTICE_TEXT_MAX = 1000,     /* bytes of a text */
};

struct notice_document {
    const char *host; /* the machine's name */
    int64_t now_unix_s;
    const struct notice *notices;
    size_t n_notices;
    const struct notice_digest *digest; /* NULL: it is none */
};

/** "began", "ended", "digest" or "test". */
const char *notice_event_word(enum notice_event event);

/** Prints the document. */
void notice_document_print(const struct notice_document *document, FILE *out);
