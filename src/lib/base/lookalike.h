/* SPDX-License-Identifier: MIT */
/**
 * Lookalikes: characters that a word processor, a web page or a chat put in place of plain ASCII.
 *
 * A person does not see the difference, so a message has to name it. Pure.
 */
#pragma once

#include <stddef.h>

struct slice;

/**
 * Finds the first such character.
 *
 * ret_at  index of its first byte; untouched if there is none; NULL if not wanted
 * Returns what it is, as in "a no-break space", or NULL.
 */
const char *lookalike_find(struct slice text, size_t *ret_at);
