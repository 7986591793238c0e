/* SPDX-License-Identifier: MIT */
/**
 * Diagnostics: a list of findings, each with its place.
 *
 * Collected while loading or checking, sorted by place, shown all at once. One owner, one thread at
 * a time.
 * At most DIAG_MAX are kept (10,000 broken lines must not cost memory or bury the reader); the rest
 * are counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/diag/finding.h"

enum {
    DIAG_MAX = 1000,
};

struct diag;

/**
 * Creates an empty list of findings of one table, which must outlive the list. Never returns NULL.
 */
struct diag *diag_new(const struct finding_table *table);

/** Takes NULL. */
void diag_free(struct diag *diag);

/**
 * Adds one finding.
 *
 * finding index of a row of the table
 * place   its file name is copied
 * path    the key's path ("domains.example.com.max_age"), copied; NULL: none
 * format  what was found in single quotes (err_quote()), what is allowed; lower case, no full stop
 */
void diag_add(struct diag *diag, unsigned finding, struct place place, const char *path,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

/** How many of this level were added, those not kept included. */
size_t diag_count(const struct diag *diag, enum level level);

/** Whether `finding` was added at least once. */
bool diag_has(const struct diag *diag, unsigned finding);

/**
 * Prints what was kept, sorted by file, line and column, of `least` and graver levels, a line each:
 * "file:line:column: error: path: message [code]". A last line counts what was not kept.
 */
void diag_print(struct diag *diag, enum level least, FILE *out);

/**
 * Prints one JSON object with the members errors, warnings, notes (counts) and findings (array of
 * level, code, file, line, column, path, message, meaning).
 */
void diag_print_json(struct diag *diag, FILE *out);
