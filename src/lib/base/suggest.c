/* SPDX-License-Identifier: MIT */
#include "lib/base/suggest.h"

#include <string.h>

#include "lib/base/slice.h"

enum {
    WORD_MAX = 63,
    DISTANCE_MAX = 3,
};

static size_t suggest_min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Optimal string alignment over three rows: the one being filled and the two above it. */
static size_t suggest_distance(struct slice a, struct slice b)
{
    size_t rows[3][WORD_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = ascii_to_lower(a.ptr[i - 1]), y = ascii_to_lower(b.ptr[j - 1]);

            row[j] = suggest_min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == ascii_to_lower(b.ptr[j - 2]) &&
                y == ascii_to_lower(a.ptr[i - 2]) && above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

const char *suggest_word(struct slice word, const char *const *words, size_t n_words)
{
    const char *nearest = NULL;
    size_t least = DISTANCE_MAX + 1;

    if (word.len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n_words; i++) {
        struct slice candidate = slice_of(words[i]);
        size_t steps;

        if (candidate.len > WORD_MAX)
            continue;
        steps = suggest_distance(word, candidate);
        if (steps < least && steps * 3 <= candidate.len) {
            least = steps;
            nearest = words[i];
        }
    }
    return nearest;
}
