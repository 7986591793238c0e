/* SPDX-License-Identifier: MIT */
#include "reports/fetch_intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/state/fetch_count.h"
#include "reports/report_database.h"
#include "reports/report_sqlite.h"

#define CANNOT "cannot store who fetched policies"

enum {
    FILE_BYTES_MAX = 256 << 20,
};

/* A word of ours stands in the database, not its number, which another version may give to another
 * sender. */
static int fetch_store(struct report_database *database, const struct fetch_count *count,
                       struct err *err)
{
    static const char sql[] =
        "INSERT INTO fetch (domain, sender, n, first_unix_s, last_unix_s, prefix)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT DO UPDATE SET n = n + ?3, last_unix_s = ?5, prefix = ?6";
    sqlite3_stmt *statement = report_database_statement(database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, count->domain.ptr, (int)count->domain.len, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, fetch_sender_word(count->sender), -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)count->n);
    sqlite3_bind_int64(statement, 4, count->first_unix_s);
    sqlite3_bind_int64(statement, 5, count->last_unix_s);
    sqlite3_bind_text(statement, 6, count->prefix.ptr, (int)count->prefix.len, SQLITE_STATIC);
    return report_sqlite_step(statement, CANNOT, err);
}

/* A file that was stored before, and could not be removed then, is not stored again. */
static int fetch_is_known(struct report_database *database, int64_t at_unix_us, bool *ret_is_known,
                          struct err *err)
{
    static const char mark[] = "INSERT INTO fetch_file (id, at_unix_us) VALUES (1, ?1)"
                               " ON CONFLICT DO UPDATE SET at_unix_us = ?1 WHERE at_unix_us <> ?1";
    sqlite3_stmt *statement = report_database_statement(database, mark, err);

    if (!statement)
        return -1;
    sqlite3_bind_int64(statement, 1, at_unix_us);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    *ret_is_known = sqlite3_changes(report_database_connection(database)) == 0;
    return 0;
}

static int fetch_expire(struct report_database *database, int64_t before_unix_s, struct err *err)
{
    static const char sql[] = "DELETE FROM fetch WHERE last_unix_s < ?1";
    sqlite3_stmt *statement = report_database_statement(database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_int64(statement, 1, before_unix_s);
    return report_sqlite_step(statement, CANNOT, err);
}

static int fetch_store_all(struct report_database *database, const char *path, struct slice bytes,
                           struct err *err)
{
    int64_t at_unix_us;
    bool is_known;

    if (!fetch_count_parse_head(slice_take_field(&bytes, '\n'), &at_unix_us))
        return err_set(err, ERR_SYNTAX, "'%s' was not written by mta-stsd; remove it", path);
    if (fetch_is_known(database, at_unix_us, &is_known, err) != 0)
        return -1;
    while (!is_known && bytes.len > 0) {
        struct fetch_count count;

        if (fetch_count_parse(slice_take_field(&bytes, '\n'), &count) &&
            fetch_store(database, &count, err) != 0)
            return -1;
    }
    return 0;
}

static int fetch_take_file(struct report_database *database, const char *path,
                           int64_t forget_unix_s, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct slice bytes = {0};
    struct stat status;
    int result = file_read_regular(path, FILE_BYTES_MAX, arena, &status, &bytes, err);

    if (result == 0)
        result = report_database_begin(database, err);
    if (result == 0) {
        result = fetch_store_all(database, path, bytes, err);
        if (result == 0)
            result = fetch_expire(database, forget_unix_s, err);
        if (result == 0)
            result = report_database_commit(database, err);
        else
            report_database_roll_back(database);
    }
    arena_free(arena);
    if (result == 0 && unlink(path) != 0)
        result = err_io(err, errno, "'%s' cannot be removed", path);
    return result;
}

int fetch_intake_take(struct report_database *database, const char *state_directory,
                      int64_t now_unix_s, int64_t keep_s, struct err *err)
{
    char *path = file_path_below(state_directory, FETCHES_FILE);
    int result = 0;

    if (access(path, F_OK) == 0)
        result = fetch_take_file(database, path, now_unix_s - keep_s, err);
    free(path);
    return result;
}

int fetch_intake_find(struct report_database *database, const char *domain, struct arena *arena,
                      struct policy_fetchers *ret_fetchers, struct err *err)
{
    static const char sql[] = "SELECT sender, n, first_unix_s, last_unix_s, prefix FROM fetch"
                              " WHERE domain = ?1 ORDER BY last_unix_s DESC, sender";
    sqlite3_stmt *statement = report_database_statement(database, sql, err);
    struct policy_fetcher *list = arena_array(arena, FETCH_SENDER_COUNT, sizeof(*list));
    size_t n = 0;
    int code;

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, domain, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < FETCH_SENDER_COUNT) {
        enum fetch_sender sender =
            fetch_sender_find(slice_of((const char *)sqlite3_column_text(statement, 0)));

        if (sender == FETCH_SENDER_COUNT)
            continue; /* of a later version of this program */
        list[n++] = (struct policy_fetcher){
            .sender = sender,
            .n = sqlite3_column_int64(statement, 1),
            .first_unix_s = sqlite3_column_int64(statement, 2),
            .last_unix_s = sqlite3_column_int64(statement, 3),
            .prefix = arena_copy(arena, slice_of((const char *)sqlite3_column_text(statement, 4))),
        };
    }
    *ret_fetchers = (struct policy_fetchers){list, n};
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        report_sqlite_fail(report_database_connection(database), CANNOT, err);
    sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}
