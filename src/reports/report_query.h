/* SPDX-License-Identifier: MIT */
/**
 * What the database has of a domain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"
#include "reports/report_meta.h"
#include "reports/tls_report.h"

struct arena;
struct err;
struct report_database;

/** What failed in one way. */
struct entry_failure {
    const char *result_type, *mx, *reason, *sending_ip; /* NULL: not said */
    int64_t n_sessions;                                 /* UNKNOWN_COUNT: not said */
};

/** What one report says of one policy of a domain. */
struct report_entry {
    int64_t day; /* as report_day_of() */
    int64_t report;
    const char *reporter; /* the domain that is proven, else the one that the report claims */
    enum report_proof proof;
    bool is_conflict; /* another report has the same id and other content */
    enum tls_policy_type type;
    const char *policy_lines;       /* separated by newlines; NULL: not said */
    int64_t n_successful, n_failed; /* UNKNOWN_COUNT: not said */
    const struct entry_failure *failures;
    size_t n_failures;
};

struct report_entries {
    const struct report_entry *list; /* by day, then as they came */
    size_t n;
    int64_t n_refused; /* anonymous reports that were one too many */
};

/**
 * Finds all entries of a domain and of the days from `from_day` to `to_day`, both included.
 *
 * arena  owns *ret_entries
 * Returns 0, or -1 with *err set as report_sqlite_fail().
 */
int report_query_entries(struct report_database *database, const char *domain, int64_t from_day,
                         int64_t to_day, struct arena *arena, struct report_entries *ret_entries,
                         struct err *err);

/**
 * Counts what is kept aside because it could not be read. Returns 0, or -1 with *err set as
 * report_sqlite_fail().
 */
int report_query_count_unreadable(struct report_database *database, int64_t *ret_n,
                                  struct err *err);

/** A report that is kept, as it was read; valid during the call. */
struct raw_report {
    struct slice bytes;
    const char *domain, *reason; /* one of them NULL: what is kept aside has a reason */
    int64_t received_unix_s;
};

/** Returns 0, or -1 to end the visit. */
typedef int raw_report_visitor(void *context, const struct raw_report *report);

/**
 * Visits the reports of a domain, or, with NULL, what is kept aside, the oldest first.
 *
 * Returns 0, or -1 with *err set as report_sqlite_fail(), or when the visitor ended it, which has
 * set it.
 */
int report_query_raw(struct report_database *database, const char *domain,
                     raw_report_visitor *visit, void *context, struct err *err);
