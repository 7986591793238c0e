/* SPDX-License-Identifier: MIT */
/**
 * The front page's data: totals of all domains, and what needs attention.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/policy/policy.h"
#include "reports/report_verdict.h"
#include "reports/session_days.h"
#include "reports/site_attention.h"
#include "reports/site_certificate.h"

struct arena;
struct json_writer;
struct site_domain;

/** Which policy of a domain senders have fetched last. */
enum site_fetched {
    SITE_FETCHED_NOW,     /* the one that is served now */
    SITE_FETCHED_EARLIER, /* one before it */
    SITE_FETCHED_UNKNOWN, /* nobody knows since when the one of now is served */
    SITE_FETCHED_NEVER,
    SITE_FETCHED_COUNT,
};

/** Sums over domains; one that is zeroed but for the first two members has none. */
struct site_totals {
    int64_t first_day;                /* of `days`, as report_day_of() */
    struct session_counts (*days)[2]; /* by day; those that are not proven, then the others */
    size_t n_days;
    size_t n_domains;
    size_t n_modes[POLICY_MODE_COUNT + 1]; /* the last: without a policy */
    size_t n_verdicts[REPORT_VERDICT_COUNT];
    size_t n_certificates[SITE_CERTIFICATE_COUNT];
    size_t n_fetched[SITE_FETCHED_COUNT];
    size_t n_urgencies[SITE_URGENCY_COUNT]; /* by the most urgent that a domain needs */
};

/** Adds a domain; the arena is for what is made on the way. */
void site_totals_add(struct site_totals *totals, const struct site_domain *domain,
                     struct arena *arena);

/** What is told of the site as a whole. */
struct site_facts {
    int64_t written_unix_s;
    int64_t checked_unix_s; /* 0: no check was made */
    int64_t n_unreadable;   /* reports */
    const char *version;
    const char *warning; /* about the site's sources; NULL: none */
    size_t n_name_files; /* that the search reads */
};

enum {
    SITE_ROWS_FIRST = 5, /* of each group, on the front page itself */
};

/**
 * Writes the data.
 *
 * attention  sorted
 * n_files    of each group, in its order: how many files hold its rows; 0: the front page has all
 */
void site_front_print(const struct site_facts *facts, const struct site_totals *totals,
                      const struct site_attention *attention, const size_t *n_files,
                      size_t n_groups, struct json_writer *writer);
