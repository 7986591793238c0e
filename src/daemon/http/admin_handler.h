/* SPDX-License-Identifier: MIT */
/**
 * The admin handler: health and metrics on a listener of their own, read-only.
 *
 * Runs in the admin worker's thread, so that nothing asked here meets the policy path.
 */
#pragma once

#include <stdio.h>

#include <h2o.h>

#include "lib/base/slice.h"

/**
 * Prints the admin page at `path`, in the admin worker's thread.
 *
 * ret_type  static; the media type, untouched if it is plain text
 * Returns the HTTP status: 200, 404 or 503.
 */
typedef int admin_printer(void *context, struct slice path, const char **ret_type, FILE *out);

/** Answers with what `print` prints for the path. */
void admin_handler_answer(h2o_req_t *req, struct slice path, admin_printer *print, void *context);
