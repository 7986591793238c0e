/* SPDX-License-Identifier: MIT */
/**
 * Nearest word: what a person may have meant by a word that we do not know.
 *
 * Pure. Words longer than 63 bytes are nobody's typing error and match nothing.
 */
#pragma once

#include <stddef.h>

struct slice;

/**
 * The word of `words` with the fewest letters to add, drop, change or swap with its neighbour, if
 * that is at most a third of its length and at most 3.
 *
 * Returns one of `words`, or NULL if none is near; the first of several equally near.
 */
const char *nearest_word(struct slice word, const char *const *words, size_t n_words);
