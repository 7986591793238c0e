/* SPDX-License-Identifier: MIT */
#include "reports/report_schema.h"

#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/report_sqlite.h"

#define CANNOT "cannot be prepared"

enum {
    APPLICATION_ID = 0x4d545354, /* "MTST", for file(1) */
};

/*
 * The version of a database is the number of steps that it has seen; a step never changes once it
 * is released.
 *
 * report   one a report, until it expires; content is the hash that tells duplicates, raw the JSON
 *          by zlib until it expires
 * policy   the policies that were measured, which many entries share; lines, separated by newlines
 * entry    one a policy of a report: the sums of one day, domain and reporter; in the order in
 *          which they are asked for
 * failure  of an entry, one for each result type, MX host and reason
 * aside    what is no report, or about no domain of ours
 * refused  how many anonymous reports of a day and domain were too many
 * fetch    who fetched a domain's policy
 * fetch_file  the one file of fetches that was taken last
 */
static const char *const steps[] = {
    "CREATE TABLE report ("
    " id INTEGER PRIMARY KEY,"
    " content BLOB NOT NULL UNIQUE,"
    " submitter TEXT NOT NULL,"
    " report_id TEXT NOT NULL,"
    " start_unix_s INTEGER NOT NULL,"
    " received_unix_s INTEGER NOT NULL,"
    " transport INTEGER NOT NULL,"
    " proof INTEGER NOT NULL,"
    " proven_domain TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " is_conflict INTEGER NOT NULL,"
    " raw BLOB"
    ") STRICT;"
    "CREATE INDEX report_by_key ON report (submitter, report_id, start_unix_s);"
    "CREATE INDEX report_by_age ON report (received_unix_s);"
    "CREATE INDEX report_with_raw ON report (received_unix_s) WHERE raw IS NOT NULL;"
    "CREATE TABLE policy (id INTEGER PRIMARY KEY, lines TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE entry ("
    " domain TEXT NOT NULL,"
    " day INTEGER NOT NULL,"
    " report INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " type INTEGER NOT NULL,"
    " policy INTEGER,"
    " n_successful INTEGER," /* NULL: not said */
    " n_failed INTEGER,"     /* NULL: not said */
    " PRIMARY KEY (domain, day, report, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX entry_by_report ON entry (report);"
    "CREATE INDEX entry_by_policy ON entry (policy);"
    "CREATE TABLE failure ("
    " domain TEXT NOT NULL,"
    " day INTEGER NOT NULL,"
    " report INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " item INTEGER NOT NULL,"
    " result_type TEXT,"
    " mx TEXT,"
    " reason TEXT,"
    " sending_ip TEXT,"
    " n_sessions INTEGER," /* NULL: not said */
    " PRIMARY KEY (domain, day, report, number, item)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE aside ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " content BLOB NOT NULL UNIQUE,"
    " received_unix_s INTEGER NOT NULL,"
    " transport INTEGER NOT NULL,"
    " proof INTEGER NOT NULL,"
    " proven_domain TEXT NOT NULL,"
    " host TEXT NOT NULL,"
    " peer TEXT NOT NULL,"
    " is_foreign INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " raw BLOB NOT NULL"
    ") STRICT;"
    "CREATE TABLE refused ("
    " domain TEXT NOT NULL,"
    " day INTEGER NOT NULL,"
    " n INTEGER NOT NULL,"
    " PRIMARY KEY (domain, day)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE fetch ("
    " domain TEXT NOT NULL,"
    " sender TEXT NOT NULL,"
    " n INTEGER NOT NULL,"
    " first_unix_s INTEGER NOT NULL,"
    " last_unix_s INTEGER NOT NULL,"
    " prefix TEXT NOT NULL,"
    " PRIMARY KEY (domain, sender)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE fetch_file (id INTEGER PRIMARY KEY, at_unix_us INTEGER NOT NULL) STRICT;",
};

/* The tables are counted first: another process may make them, with both numbers, at any moment. */
int report_schema_check(sqlite3 *sqlite, size_t *ret_missing, struct err *err)
{
    sqlite3_int64 version, application_id, n_objects;

    if (report_sqlite_number(sqlite, "SELECT count(*) FROM sqlite_schema", "cannot be read",
                             &n_objects, err) != 0 ||
        report_sqlite_number(sqlite, "PRAGMA application_id", "cannot be read", &application_id,
                             err) != 0 ||
        report_sqlite_number(sqlite, "PRAGMA user_version", "cannot be read", &version, err) != 0)
        return -1;
    if (n_objects > 0 && application_id != APPLICATION_ID)
        return err_set(err, ERR_SYNTAX, "is a database of another program");
    if (version < 0 || version > (sqlite3_int64)ARRAY_LEN(steps))
        return err_set(err, ERR_CONFIG, "is of a later version of mta-stsd");
    *ret_missing = ARRAY_LEN(steps) - (size_t)version;
    return 0;
}

static int schema_take_steps(sqlite3 *sqlite, struct err *err)
{
    size_t n_missing = 0;
    char sql[64];

    if (report_schema_check(sqlite, &n_missing, err) != 0)
        return -1;
    if (n_missing == 0)
        return 0;
    for (size_t i = ARRAY_LEN(steps) - n_missing; i < ARRAY_LEN(steps); i++)
        if (report_sqlite_run(sqlite, steps[i], CANNOT, err) != 0)
            return -1;
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %zu",
             APPLICATION_ID, ARRAY_LEN(steps));
    return report_sqlite_run(sqlite, sql, CANNOT, err);
}

/* Who only reads is not to wait for who writes, so there is no transaction without need. It is one
 * that may write from its start, so that two processes do not both make the tables. */
int report_schema_apply(sqlite3 *sqlite, struct err *err)
{
    size_t n_missing = 0;

    if (report_schema_check(sqlite, &n_missing, err) != 0)
        return -1;
    if (n_missing == 0)
        return 0;
    if (report_sqlite_run(sqlite, "BEGIN IMMEDIATE", CANNOT, err) != 0)
        return -1;
    if (schema_take_steps(sqlite, err) != 0) {
        sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
        return -1;
    }
    return report_sqlite_run(sqlite, "COMMIT", CANNOT, err);
}
