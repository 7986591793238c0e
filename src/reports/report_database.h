/* SPDX-License-Identifier: MIT */
/**
 * The database of reports: one SQLite file in the state directory, which mta-stsd-reports alone
 * opens.
 *
 * Several of these programs may have it open at once; one that finds it locked waits some seconds.
 * What report_database_commit() has written is on the disk. One thread at a time.
 */
#pragma once

#include <sqlite3.h>

struct err;
struct report_database;

#define REPORT_DATABASE_FILE "reports.sqlite"

/**
 * Opens the database in `directory`, and makes it if it is missing, as state_file_open() does.
 *
 * Returns 0, or -1 with *err set: as report_schema_apply(); the message names the file.
 */
int report_database_open(const char *directory, struct report_database **ret_database,
                         struct err *err);

/** What has not been committed is not kept. Takes NULL. */
void report_database_close(struct report_database *database);

/**
 * Begins a group of changes, which the disk has all or not at all. Each returns 0, or -1 with *err
 * set as report_sqlite_fail(); after a failed commit nothing of the group is kept.
 */
int report_database_begin(struct report_database *database, struct err *err);
int report_database_commit(struct report_database *database, struct err *err);

/**
 * Begins to read: until report_database_roll_back(), all that is read is of one moment, and locks
 * are taken once. Others may write meanwhile. Returns as above.
 */
int report_database_begin_reading(struct report_database *database, struct err *err);

/** Drops the group, or ends reading. */
void report_database_roll_back(struct report_database *database);

/** The connection, for what has no statement. */
sqlite3 *report_database_connection(const struct report_database *database);

/**
 * A statement, without values yet, prepared at its first use and kept.
 *
 * sql  a static text, which is known again by its address
 * Returns NULL with *err set as report_sqlite_fail().
 */
sqlite3_stmt *report_database_statement(struct report_database *database, const char *sql,
                                        struct err *err);
