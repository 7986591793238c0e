/* SPDX-License-Identifier: MIT */
/**
 * The admission: from the body of a report, wherever it came from, to the database.
 *
 * What cannot be read is kept aside with the reason, never refused: most senders don't send it
 * again. Reports are stored in groups, of which the disk has all or nothing; the caller says where
 * one ends. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reports/report_meta.h"
#include "reports/report_part.h"

struct clock;
struct err;
struct peer_proofs;
struct report_database;
struct report_admission;
struct report_scope;

enum {
    REPORT_GROUP_MAX = 1000,    /* reports: the sync of a group takes as long as 200 of them */
    REPORT_GROUP_AGE_MS = 1000, /* others wait so long to write */
};

/** What the admission works with; all of it outlives the admission. */
struct report_admission_parts {
    struct report_database *database;
    const struct report_scope *scope;
    struct peer_proofs *proofs; /* NULL: a peer proves nothing */
    const struct clock *clock;
};

/** What became of what was added. */
struct report_admission_counts {
    size_t n_new, n_duplicates, n_conflicts, n_foreign, n_over_cap;
    size_t n_unreadable;
};

/** Never returns NULL. */
struct report_admission *report_admission_new(const struct report_admission_parts *parts);

/** Rolls back what was not committed. Takes NULL. */
void report_admission_free(struct report_admission *admission);

/**
 * Adds what a part holds. A part that only looked like a report and is none is dropped.
 *
 * meta  where it came from; with a peer, whether it proves anything is found out here, by DNS
 * Returns 0, or -1 with *err set: the database failed, and the group is rolled back.
 */
int report_admission_add(struct report_admission *admission, const struct report_part *part,
                         const struct report_meta *meta, struct err *err);

/**
 * Ends the group: the disk has it.
 *
 * Returns 0, or -1 with *err set, and the group is rolled back.
 */
int report_admission_commit(struct report_admission *admission, struct err *err);

/** Whether the group is large or old enough to be ended. */
bool report_admission_is_due(const struct report_admission *admission);

/** Counts what was added since the admission was made. */
struct report_admission_counts report_admission_counts(const struct report_admission *admission);

/** "3 reports: 2 new, 1 known already", a line; nothing if nothing was added. */
void report_admission_counts_print(const struct report_admission_counts *counts, FILE *out);
