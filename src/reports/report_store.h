/* SPDX-License-Identifier: MIT */
/**
 * Storing reports: each once, whatever ways it came, with what is no report kept aside.
 *
 * Each function wants report_database_begin() before and report_database_commit() after it, for any
 * number of reports.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct err;
struct report_database;
struct report_meta;
struct tls_report;

enum report_outcome {
    REPORT_NEW,
    REPORT_DUPLICATE, /* nothing is added; a better proof of its origin is */
    REPORT_CONFLICT,  /* another report has its submitter, id, start and domain: both are kept */
    REPORT_FOREIGN,   /* about no domain of ours: kept aside */
    REPORT_OVER_CAP,  /* anonymous, one too many of this domain and day: counted, not kept */
};

enum {
    REPORT_ANONYMOUS_MAX = 100,  /* of one domain and day */
    REPORT_ASIDE_MAX = 10000,    /* of what is kept aside; the oldest goes */
    REPORT_DAYS_AHEAD = 2,       /* a report of a later day counts for the day when it came */
    REPORT_DAY_S = 24 * 60 * 60, /* of UTC */
};

/** Whether reports about this domain are wanted. */
typedef bool report_ownership(const void *context, const char *domain);

/**
 * Adds a report.
 *
 * json     what `report` was parsed from, decompressed
 * is_ours  what the report says of other domains is left out
 * Returns 0, or -1 with *err set as report_sqlite_fail(); then the group is to be rolled back.
 */
int report_store_add(struct report_database *database, const struct tls_report *report,
                     struct slice json, const struct report_meta *meta, report_ownership *is_ours,
                     const void *context, enum report_outcome *ret_outcome, struct err *err);

/**
 * Keeps aside what is no report.
 *
 * raw     as it came
 * reason  the end of a sentence that begins with the report
 * Returns as report_store_add(): REPORT_NEW or REPORT_DUPLICATE.
 */
int report_store_add_unreadable(struct report_database *database, struct slice raw,
                                const char *reason, const struct report_meta *meta,
                                enum report_outcome *ret_outcome, struct err *err);

/**
 * Who a report says it is from: the domain of contact-info, else the organization's name, or "".
 */
const char *report_submitter_of(const struct tls_report *report);

/** The UTC day of a time, counted from 1970. */
int64_t report_day_of(int64_t unix_s);
