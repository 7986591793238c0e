/* SPDX-License-Identifier: MIT */
#include "reports/report_sqlite.h"

#include <errno.h>
#include <stdint.h>

#include "lib/base/err.h"

int report_sqlite_fail(sqlite3 *sqlite, const char *what, struct err *err)
{
    int code = sqlite3_errcode(sqlite);

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_set(err, ERR_IO, "%s: another process has the database locked", what);
        err->sys_errno = EAGAIN;
        return -1;
    case SQLITE_FULL:
        err_set(err, ERR_IO, "%s: the disk is full", what);
        err->sys_errno = ENOSPC;
        return -1;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(
            err, ERR_SYNTAX,
            "%s: the file is damaged, or is no database; restore it, or move it away to begin a "
            "new one",
            what);
    default:
        err_set(err, ERR_IO, "%s: %s", what, sqlite3_errmsg(sqlite));
        err->sys_errno = EIO;
        return -1;
    }
}

int report_sqlite_run(sqlite3 *sqlite, const char *sql, const char *what, struct err *err)
{
    if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
        return report_sqlite_fail(sqlite, what, err);
    return 0;
}

int report_sqlite_step(sqlite3_stmt *statement, const char *what, struct err *err)
{
    int code = sqlite3_step(statement);

    if (code != SQLITE_DONE)
        report_sqlite_fail(sqlite3_db_handle(statement), what, err);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

int report_sqlite_number(sqlite3 *sqlite, const char *sql, const char *what,
                         sqlite3_int64 *ret_number, struct err *err)
{
    sqlite3_stmt *statement;
    int result = 0;

    if (sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
        return report_sqlite_fail(sqlite, what, err);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    else
        result = report_sqlite_fail(sqlite, what, err);
    sqlite3_finalize(statement);
    return result;
}
