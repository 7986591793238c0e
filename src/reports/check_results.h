/* SPDX-License-Identifier: MIT */
/**
 * What the last run of mta-stsd-check has found, as the daemon keeps it: CHECK_RESULTS_FILE in the
 * directory `state:`. Only domains with errors or warnings are in it, and those of which
 * nothing is known.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_results;
struct err;

#define CHECK_RESULTS_FILE "check.json"

/** A kind of finding; many findings share one. */
struct checked_kind {
    const char *code, *meaning, *advice, *severity;
};

/** Texts are valid UTF-8, and may be a stranger's. */
struct checked_finding {
    const struct checked_kind *kind;
    const char *subject, *text; /* a NULL subject: none */
};

struct checked_domain {
    const char *verdict, *text;             /* its code, and in words */
    const struct checked_finding *findings; /* the gravest first */
    size_t n_findings;
};

/**
 * Reads them.
 *
 * Returns 0, with NULL in *ret_results if there are none; or -1 with *err set: ERR_IO, ERR_LIMIT,
 * ERR_SYNTAX, ERR_CONFIG (no regular file).
 */
int check_results_read(const char *directory, struct check_results **ret_results, struct err *err);

/** Takes NULL. */
void check_results_free(struct check_results *results);

/** What was found of a domain; NULL: neither errors nor warnings, or it was not checked. */
const struct checked_domain *check_results_find(const struct check_results *results,
                                                const char *domain);

/** When the check ended. */
int64_t check_results_at_unix_s(const struct check_results *results);
