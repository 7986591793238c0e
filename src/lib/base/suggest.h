/* SPDX-License-Identifier: MIT */
/**
 * Suggestions: which known word a person may have meant by an unknown word.
 *
 * Pure. Words longer than 63 bytes are no typing errors: nothing is suggested for them.
 */
#pragma once

#include <stddef.h>

struct slice;

/**
 * Finds the nearest of `words`: the fewest letters must be added, dropped, changed or swapped with
 * their neighbour, at most 3 and at most a third of the word's length.
 *
 * Returns a member of `words`, the first of several equally near; NULL if none is near.
 */
const char *suggest_word(struct slice word, const char *const *words, size_t n_words);
