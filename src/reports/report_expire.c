/* SPDX-License-Identifier: MIT */
#include "reports/report_expire.h"

#include <inttypes.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/report_database.h"
#include "reports/report_sqlite.h"
#include "reports/report_store.h"
#include "reports/report_verdict.h"

#define CANNOT "cannot remove old reports"

enum {
    BATCH = 500, /* reports in a transaction */
};

struct report_keeping report_keeping_for(const struct report_verdict_rules *rules)
{
    return (struct report_keeping){
        .raw_s = INT64_C(30) * REPORT_DAY_S,
        .sums_s = INT64_C(400) * REPORT_DAY_S,
        .window_s = (rules->days + rules->late_days + REPORT_DAYS_AHEAD + 1) * REPORT_DAY_S,
        .bytes_max = INT64_C(4) << 30,
    };
}

/* One way to remove: the reports of a batch, the oldest first, that came before a time. ?1 is that
 * time, ?2 the size of a batch. A report that came before the window cannot tell of days in it. */
static const char *const forget_raw[] = {
    "UPDATE report SET raw = NULL WHERE id IN (SELECT id FROM report WHERE raw IS NOT NULL"
    " AND received_unix_s < ?1 ORDER BY received_unix_s LIMIT ?2)",
};
static const char *const forget_refused[] = {
    "DELETE FROM refused WHERE (domain, day) IN (SELECT domain, day FROM refused"
    " WHERE day < ?1 / 86400 LIMIT ?2)",
};
static const char *const forget_aside[] = {
    "DELETE FROM aside WHERE id IN (SELECT id FROM aside WHERE received_unix_s < ?1"
    " ORDER BY id LIMIT ?2)",
};

#define OLDEST \
    " (SELECT id FROM report WHERE received_unix_s < ?1 ORDER BY received_unix_s, id LIMIT ?2)"

/* The report goes last: that is what the number of changes tells. */
static const char *const forget_sums[] = {
    "DELETE FROM failure WHERE (domain, day, report, number) IN"
    " (SELECT domain, day, report, number FROM entry WHERE report IN" OLDEST ")",
    "DELETE FROM entry WHERE report IN" OLDEST,
    "DELETE FROM report WHERE id IN" OLDEST,
};

struct forgetting {
    struct report_database *database;
    int64_t before_unix_s;
};

/* Removes a batch. *ret_n: how many there were. */
static int forget_batch(const struct forgetting *forget, const char *const *sqls, size_t n_sqls,
                        int *ret_n, struct err *err)
{
    sqlite3 *sqlite = report_database_connection(forget->database);

    if (report_database_begin(forget->database, err) != 0)
        return -1;
    for (size_t i = 0; i < n_sqls; i++) {
        sqlite3_stmt *statement = report_database_statement(forget->database, sqls[i], err);
        int code = SQLITE_ERROR;

        if (statement) {
            sqlite3_bind_int64(statement, 1, forget->before_unix_s);
            sqlite3_bind_int(statement, 2, BATCH);
            code = sqlite3_step(statement);
            *ret_n = sqlite3_changes(sqlite);
            if (code != SQLITE_DONE)
                report_sqlite_fail(sqlite, CANNOT, err);
            sqlite3_reset(statement);
        }
        if (code != SQLITE_DONE) {
            report_database_roll_back(forget->database);
            return -1;
        }
    }
    return report_database_commit(forget->database, err);
}

static int forget_all(const struct forgetting *forget, const char *const *sqls, size_t n_sqls,
                      struct err *err)
{
    int n;

    do {
        if (forget_batch(forget, sqls, n_sqls, &n, err) != 0)
            return -1;
    } while (n == BATCH);
    return 0;
}

/* Without the pages that are free to be used again. */
static int database_size(struct report_database *database, int64_t *ret_bytes, struct err *err)
{
    sqlite3 *sqlite = report_database_connection(database);
    sqlite3_int64 n_pages, n_free, page_size;

    if (report_sqlite_number(sqlite, "PRAGMA page_count", CANNOT, &n_pages, err) != 0 ||
        report_sqlite_number(sqlite, "PRAGMA freelist_count", CANNOT, &n_free, err) != 0 ||
        report_sqlite_number(sqlite, "PRAGMA page_size", CANNOT, &page_size, err) != 0)
        return -1;
    *ret_bytes = (n_pages - n_free) * page_size;
    return 0;
}

/* Removes batches in one way while the database is too large and there is something to remove. */
static int forget_until_small(const struct forgetting *forget, const char *const *sqls,
                              size_t n_sqls, int64_t bytes_max, int64_t *ret_bytes, struct err *err)
{
    int n = BATCH;

    if (database_size(forget->database, ret_bytes, err) != 0)
        return -1;
    while (*ret_bytes > bytes_max && n > 0)
        if (forget_batch(forget, sqls, n_sqls, &n, err) != 0 ||
            database_size(forget->database, ret_bytes, err) != 0)
            return -1;
    return 0;
}

static int expire_by_size(struct report_database *database, const struct report_keeping *keeping,
                          int64_t now_unix_s, struct err *err)
{
    struct forgetting anytime = {database, INT64_MAX};
    struct forgetting old = {database, now_unix_s - keeping->window_s};
    int64_t bytes;

    if (forget_until_small(&anytime, forget_aside, ARRAY_LEN(forget_aside), keeping->bytes_max,
                           &bytes, err) != 0 ||
        forget_until_small(&old, forget_raw, ARRAY_LEN(forget_raw), keeping->bytes_max, &bytes,
                           err) != 0 ||
        forget_until_small(&old, forget_sums, ARRAY_LEN(forget_sums), keeping->bytes_max, &bytes,
                           err) != 0 ||
        forget_until_small(&anytime, forget_raw, ARRAY_LEN(forget_raw), keeping->bytes_max, &bytes,
                           err) != 0)
        return -1;
    if (bytes > keeping->bytes_max)
        return err_set(err, ERR_LIMIT,
                       "the reports of the last %" PRId64 " days take %" PRId64
                       " bytes, more than the %" PRId64 " that the database may have",
                       keeping->window_s / REPORT_DAY_S, bytes, keeping->bytes_max);
    return 0;
}

int report_expire(struct report_database *database, const struct report_keeping *keeping,
                  int64_t now_unix_s, struct err *err)
{
    struct forgetting raw = {database, now_unix_s - keeping->raw_s};
    struct forgetting sums = {database, now_unix_s - keeping->sums_s};
    int result;

    if (forget_all(&raw, forget_raw, ARRAY_LEN(forget_raw), err) != 0 ||
        forget_all(&raw, forget_aside, ARRAY_LEN(forget_aside), err) != 0 ||
        forget_all(&sums, forget_refused, ARRAY_LEN(forget_refused), err) != 0 ||
        forget_all(&sums, forget_sums, ARRAY_LEN(forget_sums), err) != 0)
        return -1;
    result = expire_by_size(database, keeping, now_unix_s, err);
    if (report_sqlite_run(report_database_connection(database),
                          "DELETE FROM policy WHERE NOT EXISTS"
                          " (SELECT 1 FROM entry WHERE entry.policy = policy.id);"
                          "PRAGMA incremental_vacuum;",
                          CANNOT, err) != 0)
        return -1;
    return result;
}
