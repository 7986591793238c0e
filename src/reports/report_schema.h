/* SPDX-License-Identifier: MIT */
/**
 * The tables of the database of reports, and the way from each older version to the newest.
 */
#pragma once

#include <sqlite3.h>

struct err;

/**
 * Brings a database, new or of an older version, to the newest version, in one transaction.
 *
 * Returns 0, or -1 with *err set: as report_sqlite_fail(), ERR_SYNTAX also for a database that is
 * not ours, ERR_CONFIG for one of a later version.
 */
int report_schema_apply(sqlite3 *sqlite, struct err *err);
