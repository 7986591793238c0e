/* SPDX-License-Identifier: MIT */
/**
 * The tables of the database of reports, and the way from each older version to the newest.
 */
#pragma once

#include <stddef.h>

#include <sqlite3.h>

struct err;

/**
 * Looks whether a database is ours, or a new one, and changes nothing.
 *
 * ret_missing  steps that it has not seen
 * Returns 0, or -1 with *err set: as report_sqlite_fail(), ERR_SYNTAX also for a database that is
 * another program's, ERR_CONFIG for one of a later version.
 */
int report_schema_check(sqlite3 *sqlite, size_t *ret_missing, struct err *err);

/**
 * Brings a database, new or of an older version, to the newest version, in one transaction.
 *
 * Returns as report_schema_check().
 */
int report_schema_apply(sqlite3 *sqlite, struct err *err);
