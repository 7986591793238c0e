/* SPDX-License-Identifier: MIT */
/**
 * What SQLite says, as an error of ours.
 */
#pragma once

#include <sqlite3.h>

struct err;

/**
 * Sets *err from the last call of this connection: ERR_IO with sys_errno EAGAIN (another process
 * has the database locked), ENOSPC (the disk is full) or EIO; ERR_SYNTAX (the file is damaged or no
 * database).
 *
 * what  begins the message: "cannot store a report"
 * Always returns -1.
 */
int report_sqlite_fail(sqlite3 *sqlite, const char *what, struct err *err);

/** Runs statements that give no rows. Returns 0, or -1 as report_sqlite_fail(). */
int report_sqlite_run(sqlite3 *sqlite, const char *sql, const char *what, struct err *err);

/** Runs a statement that has its values and gives no row, and resets it. Returns likewise. */
int report_sqlite_step(sqlite3_stmt *statement, const char *what, struct err *err);

/** The number that a statement of one row and one column gives. Returns likewise. */
int report_sqlite_number(sqlite3 *sqlite, const char *sql, const char *what,
                         sqlite3_int64 *ret_number, struct err *err);
