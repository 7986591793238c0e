/* SPDX-License-Identifier: MIT */
#include "reports/report_query.h"

#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/raw_bytes.h"
#include "reports/report_database.h"
#include "reports/report_sqlite.h"

#define CANNOT "cannot read the reports"

struct entry_reader {
    struct report_database *database;
    struct arena *arena;
    const char *domain;
    int64_t from_day, to_day;
};

static const char *column_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? arena_copy(arena, (struct slice){(const char *)text,
                                                   (size_t)sqlite3_column_bytes(statement, column)})
                : NULL;
}

static int64_t column_count(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? UNKNOWN_COUNT
               : sqlite3_column_int64(statement, column);
}

/* A statement that asks for a domain and its days. */
static sqlite3_stmt *reader_ask(const struct entry_reader *reader, const char *sql, struct err *err)
{
    sqlite3_stmt *statement = report_database_statement(reader->database, sql, err);

    if (!statement)
        return NULL;
    sqlite3_bind_text(statement, 1, reader->domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, reader->from_day);
    sqlite3_bind_int64(statement, 3, reader->to_day);
    return statement;
}

/* The end of a statement's rows. */
static int reader_end(const struct entry_reader *reader, sqlite3_stmt *statement, int code,
                      struct err *err)
{
    if (code != SQLITE_DONE)
        report_sqlite_fail(report_database_connection(reader->database), CANNOT, err);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? 0 : -1;
}

static int reader_count(const struct entry_reader *reader, const char *sql, int64_t *ret_n,
                        struct err *err)
{
    sqlite3_stmt *statement = reader_ask(reader, sql, err);
    int code;

    if (!statement)
        return -1;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *ret_n = sqlite3_column_int64(statement, 0);
        code = SQLITE_DONE;
    }
    return reader_end(reader, statement, code, err);
}

struct failure_row {
    int64_t day, report;
    int number;
    struct entry_failure failure;
};

static int reader_read_failures(const struct entry_reader *reader, struct failure_row **ret_rows,
                                size_t *ret_n, struct err *err)
{
    static const char count[] =
        "SELECT count(*) FROM failure WHERE domain = ?1 AND day BETWEEN ?2 AND ?3";
    static const char sql[] =
        "SELECT day, report, number, result_type, mx, reason, sending_ip, n_sessions FROM failure"
        " WHERE domain = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day, report, number, item";
    struct failure_row *rows;
    sqlite3_stmt *statement;
    int64_t n_rows = 0;
    size_t n = 0;
    int code;

    if (reader_count(reader, count, &n_rows, err) != 0)
        return -1;
    statement = reader_ask(reader, sql, err);
    if (!statement)
        return -1;
    rows = arena_array(reader->arena, (size_t)n_rows + 1, sizeof(*rows));
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < (size_t)n_rows)
        rows[n++] = (struct failure_row){
            .day = sqlite3_column_int64(statement, 0),
            .report = sqlite3_column_int64(statement, 1),
            .number = sqlite3_column_int(statement, 2),
            .failure = {.result_type = column_text(statement, 3, reader->arena),
                        .mx = column_text(statement, 4, reader->arena),
                        .reason = column_text(statement, 5, reader->arena),
                        .sending_ip = column_text(statement, 6, reader->arena),
                        .n_sessions = column_count(statement, 7)}};
    *ret_rows = rows;
    *ret_n = n;
    return reader_end(reader, statement, code, err);
}

static struct report_entry entry_read(const struct entry_reader *reader, sqlite3_stmt *statement)
{
    return (struct report_entry){.day = sqlite3_column_int64(statement, 0),
                                 .report = sqlite3_column_int64(statement, 1),
                                 .type = (enum tls_policy_type)sqlite3_column_int(statement, 3),
                                 .n_successful = column_count(statement, 4),
                                 .n_failed = column_count(statement, 5),
                                 .policy_lines = column_text(statement, 6, reader->arena),
                                 .proof = (enum report_proof)sqlite3_column_int(statement, 7),
                                 .reporter = column_text(statement, 8, reader->arena),
                                 .is_conflict = sqlite3_column_int(statement, 9) != 0};
}

/* Both come in the same order, so each entry takes its failures from the front of those left. */
static int reader_read_entries(const struct entry_reader *reader, const struct failure_row *rows,
                               size_t n_rows, struct report_entries *ret_entries, struct err *err)
{
    static const char count[] =
        "SELECT count(*) FROM entry WHERE domain = ?1 AND day BETWEEN ?2 AND ?3";
    static const char sql[] =
        "SELECT entry.day, entry.report, entry.number, entry.type, entry.n_successful,"
        " entry.n_failed, policy.lines, report.proof,"
        " CASE WHEN report.proven_domain <> '' THEN report.proven_domain"
        " ELSE report.submitter END, report.is_conflict"
        " FROM entry JOIN report ON report.id = entry.report"
        " LEFT JOIN policy ON policy.id = entry.policy"
        " WHERE entry.domain = ?1 AND entry.day BETWEEN ?2 AND ?3"
        " ORDER BY entry.day, entry.report, entry.number";
    struct report_entry *list;
    sqlite3_stmt *statement;
    int64_t n_entries = 0;
    size_t n = 0, at = 0;
    int code;

    if (reader_count(reader, count, &n_entries, err) != 0)
        return -1;
    statement = reader_ask(reader, sql, err);
    if (!statement)
        return -1;
    list = arena_array(reader->arena, (size_t)n_entries + 1, sizeof(*list));
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < (size_t)n_entries) {
        int number = sqlite3_column_int(statement, 2);
        struct report_entry *entry = &list[n++];
        struct entry_failure *failures;
        size_t from = at;

        *entry = entry_read(reader, statement);
        while (at < n_rows && rows[at].day == entry->day && rows[at].report == entry->report &&
               rows[at].number == number)
            at++;
        entry->n_failures = at - from;
        failures = arena_array(reader->arena, entry->n_failures + 1, sizeof(*failures));
        for (size_t i = 0; i < entry->n_failures; i++)
            failures[i] = rows[from + i].failure;
        entry->failures = failures;
    }
    ret_entries->list = list;
    ret_entries->n = n;
    return reader_end(reader, statement, code, err);
}

static int reader_read(const struct entry_reader *reader, struct report_entries *ret_entries,
                       struct err *err)
{
    static const char refused[] =
        "SELECT coalesce(sum(n), 0) FROM refused WHERE domain = ?1 AND day BETWEEN ?2 AND ?3";
    struct failure_row *rows;
    size_t n_rows;

    if (reader_read_failures(reader, &rows, &n_rows, err) != 0 ||
        reader_count(reader, refused, &ret_entries->n_refused, err) != 0)
        return -1;
    return reader_read_entries(reader, rows, n_rows, ret_entries, err);
}

int report_query_entries(struct report_database *database, const char *domain, int64_t from_day,
                         int64_t to_day, struct arena *arena, struct report_entries *ret_entries,
                         struct err *err)
{
    struct entry_reader reader = {.database = database,
                                  .arena = arena,
                                  .domain = domain,
                                  .from_day = from_day,
                                  .to_day = to_day};
    struct report_entries entries = {0};
    bool is_apart = sqlite3_get_autocommit(report_database_connection(database)) != 0;
    int result;

    /* Entries and failures have to be of one moment; the caller may have begun it. */
    if (is_apart && report_database_begin_reading(database, err) != 0)
        return -1;
    result = reader_read(&reader, &entries, err);
    if (is_apart)
        report_database_roll_back(database);
    if (result == 0)
        *ret_entries = entries;
    return result;
}

int report_query_count_unreadable(struct report_database *database, int64_t *ret_n, struct err *err)
{
    sqlite3_int64 n;

    if (report_sqlite_number(report_database_connection(database),
                             "SELECT count(*) FROM aside WHERE is_foreign = 0", CANNOT, &n,
                             err) != 0)
        return -1;
    *ret_n = n;
    return 0;
}

static struct slice column_blob(sqlite3_stmt *statement, int column)
{
    const char *bytes = sqlite3_column_blob(statement, column);

    return (struct slice){bytes, (size_t)sqlite3_column_bytes(statement, column)};
}

int report_query_raw(struct report_database *database, const char *domain,
                     raw_report_visitor *visit, void *context, struct err *err)
{
    static const char of_domain[] =
        "SELECT raw, received_unix_s, NULL FROM report WHERE raw IS NOT NULL AND id IN"
        " (SELECT report FROM entry WHERE domain = ?1) ORDER BY received_unix_s, id";
    static const char aside[] = "SELECT raw, received_unix_s, reason FROM aside ORDER BY id";
    sqlite3_stmt *statement = report_database_statement(database, domain ? of_domain : aside, err);
    struct arena *arena;
    int code, result = 0;

    if (!statement)
        return -1;
    if (domain)
        sqlite3_bind_text(statement, 1, domain, -1, SQLITE_STATIC);
    arena = arena_new(0);
    while (result == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct raw_report report = {.domain = domain,
                                    .received_unix_s = sqlite3_column_int64(statement, 1),
                                    .reason = column_text(statement, 2, arena)};

        result = raw_bytes_unpack(column_blob(statement, 0), arena, &report.bytes, err);
        if (result == 0)
            result = visit(context, &report);
        arena_reset(arena);
    }
    if (result == 0 && code != SQLITE_DONE)
        result = report_sqlite_fail(report_database_connection(database), CANNOT, err);
    sqlite3_reset(statement);
    arena_free(arena);
    return result;
}
