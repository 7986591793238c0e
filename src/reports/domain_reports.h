/* SPDX-License-Identifier: MIT */
/**
 * All that is said of one domain: its verdict, and what was reported in the days before.
 */
#pragma once

#include <stdint.h>

#include "reports/fetch_intake.h"
#include "reports/report_query.h"
#include "reports/report_tally.h"
#include "reports/report_verdict.h"

struct arena;
struct check_results;
struct config;
struct err;
struct ledger;
struct report_database;

/** What it is judged by. */
struct domain_reports_source {
    struct report_database *database;
    const struct config *config;
    const struct ledger *ledger;        /* NULL: there is none */
    const struct check_results *checks; /* NULL: likewise */
    int64_t now_unix_s;
    int64_t days; /* that are shown, before the day that has not ended */
};

struct domain_reports {
    const char *domain;
    const struct policy *policy; /* NULL: none is configured */
    int64_t days;
    struct report_entries entries; /* of these days */
    struct report_tally tally;     /* of them */
    struct report_verdict verdict; /* of the days that it needs, whichever are shown */
    struct policy_fetchers fetchers;
    int64_t now_unix_s;
    int64_t served_since_unix_s; /* the policy served now; 0: not known */
};

/** The rules of a verdict; a part of a day counts as one. */
struct report_verdict_rules domain_reports_rules(const struct config *config);

/**
 * Reads and judges a domain.
 *
 * domain  in stored form; outlives the result, as do the source's parts
 * arena   owns the rest of *ret_reports
 * Returns 0, or -1 with *err set as report_sqlite_fail().
 */
int domain_reports_load(const struct domain_reports_source *source, const char *domain,
                        struct arena *arena, struct domain_reports *ret_reports, struct err *err);
