/* SPDX-License-Identifier: MIT */
/**
 * Spool entries: one report as it lies in the spool, an envelope of lines and the body as it came.
 *
 *     mta-stsd report 1
 *     received: 1764370000
 *     host: mta-sts.example.com
 *     peer: 192.0.2.1
 *     content-type: application/tlsrpt+gzip
 *     length: 1234
 *
 *     <1234 bytes>
 *
 * The lines have this order, end in a newline and are printable ASCII: another byte of a value, and
 * a backslash, is written as \xNN. Pure, safe from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct err;

enum {
    SPOOL_VALUE_MAX = 256, /* bytes of a host or a peer, as it is written */
    SPOOL_TYPE_MAX = 128,  /* bytes of a content type, as it is written */
    SPOOL_HEAD_MAX = 1024, /* bytes of an envelope, with its empty line */
};

struct spool_entry {
    int64_t received_unix_s;
    struct slice host;         /* that it was sent to, in stored form */
    struct slice peer;         /* the sender's address; empty: a unix socket's */
    struct slice content_type; /* as the sender wrote it; empty: it wrote none */
    struct slice body;
};

/**
 * Renders the envelope of `entry`, with the length of its body. A value that is too long is cut.
 *
 * Returns the number of bytes in ret_head; no NUL follows them.
 */
size_t spool_entry_render_head(const struct spool_entry *entry, char ret_head[SPOOL_HEAD_MAX]);

/**
 * Parses a whole file of the spool.
 *
 * ret_entry  points into `bytes`; values are still escaped. Untouched on failure
 * Returns 0, or -1 with *err set: ERR_SYNTAX, also if the body is shorter or longer than announced.
 */
int spool_entry_parse(struct slice bytes, struct spool_entry *ret_entry, struct err *err);
