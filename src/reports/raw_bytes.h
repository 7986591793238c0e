/* SPDX-License-Identifier: MIT */
/**
 * The bytes of a report as the database keeps them: their length in four bytes, then what zlib
 * makes of them.
 */
#pragma once

#include "lib/base/slice.h"

struct arena;
struct err;

enum {
    RAW_BYTES_MAX = 10 * 1024 * 1024,
};

/** bytes  at most RAW_BYTES_MAX. Returns the packed ones, which the caller frees. */
char *raw_bytes_pack(struct slice bytes, size_t *ret_len);

/**
 * The bytes again.
 *
 * arena  owns *ret_bytes; uncapped
 * Returns 0, or -1 with *err set: ERR_SYNTAX (the database is damaged).
 */
int raw_bytes_unpack(struct slice packed, struct arena *arena, struct slice *ret_bytes,
                     struct err *err);
