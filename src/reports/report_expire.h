/* SPDX-License-Identifier: MIT */
/**
 * Forgetting: what is too old, and the oldest of what is too much.
 */
#pragma once

#include <stdint.h>

struct err;
struct report_database;
struct report_verdict_rules;

/** For how long the database keeps what, and how large it may be. */
struct report_keeping {
    int64_t raw_s;     /* the reports themselves */
    int64_t sums_s;    /* what they say; not less than raw_s */
    int64_t window_s;  /* what a verdict needs: its sums are kept whatever their size */
    int64_t bytes_max; /* of the database */
};

/** 30 days of reports, 400 of their sums, 4 GiB, and what a verdict by these rules looks at. */
struct report_keeping report_keeping_for(const struct report_verdict_rules *rules);

/**
 * Removes what is older, then the oldest until the database is small enough. It commits as it goes
 * on, so that others do not wait; not to be called between begin and commit.
 *
 * Returns 0, or -1 with *err set: as report_sqlite_fail(), ERR_LIMIT (what the verdict needs is
 * larger than the database may be).
 */
int report_expire(struct report_database *database, const struct report_keeping *keeping,
                  int64_t now_unix_s, struct err *err);
