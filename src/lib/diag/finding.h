/* SPDX-License-Identifier: MIT */
/**
 * Findings: what a program can say about what it looks at, one row of its table each.
 *
 * Each program has a table of its own, of any size. The code in a row is what a person reads and
 * searches for; it never changes once released. Pure data, safe from any thread.
 */
#pragma once

#include <stddef.h>

enum level {
    LEVEL_ERROR,   /* the configuration is refused; the check fails */
    LEVEL_WARNING, /* it works today and hurts tomorrow */
    LEVEL_NOTE,    /* worth knowing */
    LEVEL_COUNT,
};

struct finding_row {
    const char *code; /* "mx-is-policy-host" */
    enum level level;
    const char *meaning; /* one sentence for the manual and --json */
};

/** A program's findings; a finding is the index of its row. */
struct finding_table {
    const struct finding_row *rows;
    size_t n_rows;
};

/** "error", "warning" or "note". */
const char *level_name(enum level level);
