/* SPDX-License-Identifier: MIT */
/**
 * File kinds: what a file is that has no certificate, or no private key, in PEM.
 *
 * For messages only. Any thread. May leave errors in OpenSSL's queue.
 */
#pragma once

#include "lib/base/slice.h"

enum file_wanted {
    FILE_WANTED_CERTIFICATE,
    FILE_WANTED_KEY,
    FILE_WANTED_BOTH, /* in one file */
};

/**
 * Says what the file is instead, and what to do: "is a certificate request ...", "is empty". Never
 * NULL.
 *
 * bytes  of the whole file; a NUL follows the last one
 */
const char *file_kind_describe(struct slice bytes, enum file_wanted wanted);
