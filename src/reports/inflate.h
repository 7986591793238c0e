/* SPDX-License-Identifier: MIT */
/**
 * Inflating: from the body of a report, compressed or not, to its JSON.
 *
 * What the body is its first bytes say, not its sender: some call gzip JSON and JSON gzip.
 * Safe from any thread. Source: RFC 8460 5.2, RFC 1952.
 */
#pragma once

#include "lib/base/slice.h"

struct arena;
struct err;

enum {
    INFLATE_MAX = 10 * 1024 * 1024, /* bytes of JSON */
    INFLATE_RATIO_MAX = 200,        /* to the compressed bytes; real reports have 2 to 30 */
    INFLATE_FREE = 64 * 1024,       /* bytes of JSON of which the ratio does not matter */
    INFLATE_LAYERS_MAX = 2,         /* gzip within gzip, by a server that compresses once more */
    INFLATE_MEMBERS_MAX = 16,
};

/**
 * Gives the JSON of a body.
 *
 * arena     owns *ret_json if the body is compressed; uncapped
 * ret_json  begins as an object does; else it may be anything
 * Returns 0, or -1 with *err set: ERR_SYNTAX, ERR_LIMIT. The message is the end of a sentence that
 * begins with the report: "is cut off".
 */
int inflate_body(struct slice body, struct arena *arena, struct slice *ret_json, struct err *err);
