/* SPDX-License-Identifier: MIT */
#include "reports/report_database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/report_schema.h"
#include "reports/report_sqlite.h"
#include "reports/state_file.h"

enum {
    STATEMENTS_MAX = 32,
    LOCK_WAIT_MS = 10000,
    LOCK_RETRY_MS = 20,
};

struct report_database {
    sqlite3 *sqlite;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } kept[STATEMENTS_MAX];
    size_t n_kept;
};

/* A new database is switched once, for all who open it later. SQLite itself does not wait here: two
 * processes that switch at the same time would wait for each other. */
static int database_switch_to_wal(sqlite3 *sqlite, struct err *err)
{
    int result = -1;

    sqlite3_busy_timeout(sqlite, 0);
    for (int waited_ms = 0; waited_ms < LOCK_WAIT_MS; waited_ms += LOCK_RETRY_MS) {
        result = report_sqlite_run(sqlite, "PRAGMA journal_mode = WAL", "cannot be opened", err);
        if (result == 0 || err->sys_errno != EAGAIN)
            break;
        sqlite3_sleep(LOCK_RETRY_MS);
    }
    sqlite3_busy_timeout(sqlite, LOCK_WAIT_MS);
    return result;
}

/* synchronous = FULL: a spooled report is removed after the commit, so the commit has to outlive a
 * loss of power. */
static int database_prepare(sqlite3 *sqlite, struct err *err)
{
    size_t n_missing = 0;

    sqlite3_busy_timeout(sqlite, LOCK_WAIT_MS);
    if (report_schema_check(sqlite, &n_missing, err) != 0) /* before anything is written */
        return -1;
    /* Not without need: it takes the lock of a writer. */
    if (n_missing > 0 &&
        report_sqlite_run(sqlite, "PRAGMA auto_vacuum = INCREMENTAL", "cannot be opened", err) != 0)
        return -1;
    if (database_switch_to_wal(sqlite, err) != 0)
        return -1;
    if (report_sqlite_run(sqlite,
                          "PRAGMA synchronous = FULL;"
                          "PRAGMA cell_size_check = ON;"
                          "PRAGMA trusted_schema = OFF;"
                          "PRAGMA cache_size = -16384;"
                          "PRAGMA temp_store = MEMORY;",
                          "cannot be opened", err) != 0)
        return -1;
    return report_schema_apply(sqlite, err);
}

/* The path without symbolic links in it, which SQLite refuses: nobody may put one in its last place
 * between the call that makes the file and the one that opens it. */
static char *database_path(const char *directory)
{
    char *whole = realpath(directory, NULL);
    size_t size = strlen(whole ? whole : directory) + sizeof("/" REPORT_DATABASE_FILE);
    char *path = memory_alloc(size);

    snprintf(path, size, "%s/" REPORT_DATABASE_FILE, whole ? whole : directory);
    free(whole);
    return path;
}

/* Reports tell who writes to whom, so others may not read the file; SQLite would ask the umask
 * alone. The files beside the database get its permissions and its owner. */
int report_database_open(const char *directory, struct report_database **ret_database,
                         struct err *err)
{
    struct report_database *database;
    int fd = state_file_open(directory, REPORT_DATABASE_FILE, err), result = 0;
    char *path;

    if (fd < 0)
        return -1;
    close(fd);
    database = memory_alloc(sizeof(*database));
    *database = (struct report_database){0};
    path = database_path(directory);
    if (sqlite3_open_v2(path, &database->sqlite,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        result = report_sqlite_fail(database->sqlite, "cannot be opened", err);
    if (result == 0)
        result = database_prepare(database->sqlite, err);
    if (result != 0) {
        int sys_errno = err->sys_errno;

        err_set(err, err->code, "'%s/" REPORT_DATABASE_FILE "' %s", directory, err->msg);
        err->sys_errno = sys_errno;
        report_database_close(database);
    } else {
        *ret_database = database;
    }
    free(path);
    return result;
}

void report_database_close(struct report_database *database)
{
    if (!database)
        return;
    for (size_t i = 0; i < database->n_kept; i++)
        sqlite3_finalize(database->kept[i].statement);
    sqlite3_close(database->sqlite);
    free(database);
}

int report_database_begin(struct report_database *database, struct err *err)
{
    return report_sqlite_run(database->sqlite, "BEGIN IMMEDIATE", "cannot store reports", err);
}

int report_database_begin_reading(struct report_database *database, struct err *err)
{
    return report_sqlite_run(database->sqlite, "BEGIN", "cannot read the reports", err);
}

int report_database_commit(struct report_database *database, struct err *err)
{
    if (report_sqlite_run(database->sqlite, "COMMIT", "cannot store reports", err) == 0)
        return 0;
    report_database_roll_back(database);
    return -1;
}

/* It fails only where SQLite has rolled back by itself, as it does when the disk is full. */
void report_database_roll_back(struct report_database *database)
{
    if (!sqlite3_get_autocommit(database->sqlite))
        sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

sqlite3 *report_database_connection(const struct report_database *database)
{
    return database->sqlite;
}

sqlite3_stmt *report_database_statement(struct report_database *database, const char *sql,
                                        struct err *err)
{
    for (size_t i = 0; i < database->n_kept; i++) {
        if (database->kept[i].sql != sql)
            continue;
        sqlite3_reset(database->kept[i].statement);
        sqlite3_clear_bindings(database->kept[i].statement);
        return database->kept[i].statement;
    }
    if (database->n_kept == STATEMENTS_MAX)
        abort();
    if (sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &database->kept[database->n_kept].statement, NULL) != SQLITE_OK) {
        report_sqlite_fail(database->sqlite, "cannot use the database", err);
        return NULL;
    }
    database->kept[database->n_kept].sql = sql;
    return database->kept[database->n_kept++].statement;
}
