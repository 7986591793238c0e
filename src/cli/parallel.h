/* SPDX-License-Identifier: MIT */
/**
 * Work on all cores: to read and decode 100,000 certificates takes them long enough.
 */
#pragma once

#include <stddef.h>

/** One piece of the work; any thread, several at once. */
typedef void cores_piece(void *context, size_t index);

/** Does the pieces 0 to n - 1, in no order, and returns when all are done. */
void cores_run(cores_piece *piece, void *context, size_t n);
