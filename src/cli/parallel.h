/* SPDX-License-Identifier: MIT */
/**
 * Parallel loops over all cores, for reading and decoding 100,000 certificates.
 */
#pragma once

#include <stddef.h>

/** Does the piece of work with this index; called by several threads at once. */
typedef void parallel_piece(void *context, size_t index);

/** Calls `piece` for each index from 0 to n - 1, in no order; returns when all are done. */
void parallel_for(parallel_piece *piece, void *context, size_t n);
