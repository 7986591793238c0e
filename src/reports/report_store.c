/* SPDX-License-Identifier: MIT */
#include "reports/report_store.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/content_hash.h"
#include "reports/raw_bytes.h"
#include "reports/report_database.h"
#include "reports/report_meta.h"
#include "reports/report_sqlite.h"
#include "reports/tls_report.h"

#define CANNOT "cannot store a report"

/* Why a report is kept aside, as the database has it. */
enum aside_kind {
    ASIDE_UNREADABLE = 0,
    ASIDE_FOREIGN = 1,
};

struct report_addition {
    struct report_database *database;
    const struct tls_report *report;
    const struct report_meta *meta;
    report_ownership *is_ours;
    const void *context;
    const char *submitter;
    int64_t day;
    sqlite3_int64 id;
};

int64_t report_day_of(int64_t unix_s)
{
    int64_t day = unix_s / REPORT_DAY_S;

    return unix_s < 0 && unix_s % REPORT_DAY_S != 0 ? day - 1 : day;
}

/* A report of a day to come would stand in the window of a verdict for years. */
static int64_t addition_day(const struct tls_report *report, const struct report_meta *meta)
{
    int64_t received = report_day_of(meta->received_unix_s);

    if (report->start_unix_s == UNKNOWN_COUNT ||
        report_day_of(report->start_unix_s) > received + REPORT_DAYS_AHEAD)
        return received;
    return report_day_of(report->start_unix_s);
}

/* By the content alone: a report may come by several ways. */
const char *report_submitter_of(const struct tls_report *report)
{
    const char *at = report->contact ? strrchr(report->contact, '@') : NULL;

    if (at && at[1] != '\0')
        return at + 1;
    return report->organization ? report->organization : "";
}

static void bind_slice(sqlite3_stmt *statement, int index, struct slice text)
{
    sqlite3_bind_text(statement, index, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

static void bind_count(sqlite3_stmt *statement, int index, int64_t count)
{
    if (count != UNKNOWN_COUNT)
        sqlite3_bind_int64(statement, index, count);
}

/* Runs a statement that gives a number or nothing. Returns 1, 0 without a row, or -1. */
static int addition_number(struct report_database *database, sqlite3_stmt *statement,
                           sqlite3_int64 *ret_number, struct err *err)
{
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        report_sqlite_fail(report_database_connection(database), CANNOT, err);
    sqlite3_reset(statement);
    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

static void bind_packed(sqlite3_stmt *statement, int index, struct slice bytes)
{
    size_t len;
    char *packed = raw_bytes_pack(bytes, &len);

    sqlite3_bind_blob(statement, index, packed, (int)len, free);
}

/* The same report came before: by a better way now, perhaps. */
static int addition_improve(struct report_database *database, const unsigned char *content,
                            const struct report_meta *meta, bool *ret_is_known, struct err *err)
{
    static const char find[] = "SELECT id FROM report WHERE content = ?1";
    static const char improve[] = "UPDATE report SET proof = ?2, proven_domain = ?3, transport = ?4"
                                  " WHERE id = ?1 AND proof < ?2";
    sqlite3_stmt *statement = report_database_statement(database, find, err);
    sqlite3_int64 id;
    int found;

    if (!statement)
        return -1;
    sqlite3_bind_blob(statement, 1, content, CONTENT_HASH_LEN, SQLITE_STATIC);
    found = addition_number(database, statement, &id, err);
    if (found < 0)
        return -1;
    *ret_is_known = found == 1;
    if (found == 0 || meta->proof == REPORT_PROOF_NONE)
        return 0;
    statement = report_database_statement(database, improve, err);
    if (!statement)
        return -1;
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int(statement, 2, (int)meta->proof);
    bind_slice(statement, 3, meta->proven_domain);
    sqlite3_bind_int(statement, 4, (int)meta->transport);
    return report_sqlite_step(statement, CANNOT, err);
}

static bool addition_wants(const struct report_addition *add, const struct tls_policy *policy)
{
    return policy->domain && add->is_ours(add->context, policy->domain);
}

/* Counts a report that is refused; *ret_is_over tells. */
static int addition_check_cap(const struct report_addition *add, const char *domain,
                              bool *ret_is_over, struct err *err)
{
    static const char count[] =
        "SELECT count(*) FROM (SELECT DISTINCT entry.report FROM entry JOIN report"
        " ON report.id = entry.report WHERE entry.domain = ?1 AND entry.day = ?2"
        " AND report.proof = 0 LIMIT ?3)";
    static const char refuse[] = "INSERT INTO refused (domain, day, n) VALUES (?1, ?2, 1)"
                                 " ON CONFLICT DO UPDATE SET n = n + 1";
    sqlite3_stmt *statement = report_database_statement(add->database, count, err);
    sqlite3_int64 n = 0;

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, add->day);
    sqlite3_bind_int(statement, 3, REPORT_ANONYMOUS_MAX);
    if (addition_number(add->database, statement, &n, err) < 0)
        return -1;
    *ret_is_over = n >= REPORT_ANONYMOUS_MAX;
    if (!*ret_is_over)
        return 0;
    statement = report_database_statement(add->database, refuse, err);
    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, add->day);
    return report_sqlite_step(statement, CANNOT, err);
}

/* Flags the other reports with this key; *ret_n says how many there are. */
static int addition_find_conflicts(const struct report_addition *add, const char *domain,
                                   int *ret_n, struct err *err)
{
    static const char sql[] =
        "UPDATE report SET is_conflict = 1 WHERE submitter = ?1 AND report_id = ?2"
        " AND start_unix_s = ?3 AND EXISTS (SELECT 1 FROM entry WHERE entry.domain = ?4"
        " AND entry.day = ?5 AND entry.report = report.id)";
    sqlite3_stmt *statement = report_database_statement(add->database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, add->submitter, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, add->report->report_id ? add->report->report_id : "", -1,
                      SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, add->report->start_unix_s);
    sqlite3_bind_text(statement, 4, domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, add->day);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    *ret_n = sqlite3_changes(report_database_connection(add->database));
    return 0;
}

static int addition_insert_report(struct report_addition *add, const unsigned char *content,
                                  struct slice json, bool is_conflict, struct err *err)
{
    static const char sql[] =
        "INSERT INTO report (content, submitter, report_id, start_unix_s, received_unix_s,"
        " transport, proof, proven_domain, host, peer, is_conflict, raw)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    sqlite3_stmt *statement = report_database_statement(add->database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_blob(statement, 1, content, CONTENT_HASH_LEN, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, add->submitter, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, add->report->report_id ? add->report->report_id : "", -1,
                      SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, add->report->start_unix_s);
    sqlite3_bind_int64(statement, 5, add->meta->received_unix_s);
    sqlite3_bind_int(statement, 6, (int)add->meta->transport);
    sqlite3_bind_int(statement, 7, (int)add->meta->proof);
    bind_slice(statement, 8, add->meta->proven_domain);
    bind_slice(statement, 9, add->meta->host);
    bind_slice(statement, 10, add->meta->peer);
    sqlite3_bind_int(statement, 11, is_conflict);
    bind_packed(statement, 12, json);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    add->id = sqlite3_last_insert_rowid(report_database_connection(add->database));
    return 0;
}

/* The lines of a policy as one text; NULL if there are none. The caller frees. */
static char *policy_join(const struct tls_policy *policy)
{
    size_t size = 1, at = 0;
    char *lines;

    if (policy->n_strings == 0)
        return NULL;
    for (size_t i = 0; i < policy->n_strings; i++)
        size += strlen(policy->strings[i]) + 1;
    lines = memory_alloc(size);
    for (size_t i = 0; i < policy->n_strings; i++) {
        size_t len = strlen(policy->strings[i]);

        memcpy(lines + at, policy->strings[i], len);
        lines[at + len] = '\n';
        at += len + 1;
    }
    lines[at - 1] = '\0';
    return lines;
}

/* 0: no policy is said. */
static int addition_find_policy(const struct report_addition *add, const char *lines,
                                sqlite3_int64 *ret_id, struct err *err)
{
    static const char find[] = "SELECT id FROM policy WHERE lines = ?1";
    static const char insert[] = "INSERT INTO policy (lines) VALUES (?1)";
    sqlite3_stmt *statement;
    int found;

    *ret_id = 0;
    if (!lines)
        return 0;
    statement = report_database_statement(add->database, find, err);
    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, lines, -1, SQLITE_STATIC);
    found = addition_number(add->database, statement, ret_id, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    statement = report_database_statement(add->database, insert, err);
    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, lines, -1, SQLITE_STATIC);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    *ret_id = sqlite3_last_insert_rowid(report_database_connection(add->database));
    return 0;
}

static int addition_insert_entry(const struct report_addition *add, int number,
                                 sqlite3_int64 policy_id, struct err *err)
{
    static const char sql[] = "INSERT INTO entry (domain, day, report, number, type, policy,"
                              " n_successful, n_failed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const struct tls_policy *policy = &add->report->policies[number];
    sqlite3_stmt *statement = report_database_statement(add->database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, policy->domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, add->day);
    sqlite3_bind_int64(statement, 3, add->id);
    sqlite3_bind_int(statement, 4, number);
    sqlite3_bind_int(statement, 5, (int)policy->type);
    if (policy_id != 0)
        sqlite3_bind_int64(statement, 6, policy_id);
    bind_count(statement, 7, policy->n_successful);
    bind_count(statement, 8, policy->n_failed);
    return report_sqlite_step(statement, CANNOT, err);
}

/* What the sums tell apart; a sender gives an item for each of its addresses. */
static int failure_compare(const void *left, const void *right)
{
    const struct tls_failure *a = left, *b = right;
    int order = slice_compare(slice_of(a->result_type), slice_of(b->result_type));

    if (order == 0)
        order = slice_compare(slice_of(a->receiving_host), slice_of(b->receiving_host));
    if (order == 0)
        order = slice_compare(slice_of(a->reason), slice_of(b->reason));
    return order;
}

static int addition_insert_failure(const struct report_addition *add, int number, int item,
                                   const struct tls_failure *failure, struct err *err)
{
    static const char sql[] =
        "INSERT INTO failure (domain, day, report, number, item, result_type, mx, reason,"
        " sending_ip, n_sessions) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    sqlite3_stmt *statement = report_database_statement(add->database, sql, err);

    if (!statement)
        return -1;
    sqlite3_bind_text(statement, 1, add->report->policies[number].domain, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, add->day);
    sqlite3_bind_int64(statement, 3, add->id);
    sqlite3_bind_int(statement, 4, number);
    sqlite3_bind_int(statement, 5, item);
    sqlite3_bind_text(statement, 6, failure->result_type, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 7, failure->receiving_host, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 8, failure->reason, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 9, failure->sending_ip, -1, SQLITE_STATIC);
    bind_count(statement, 10, failure->n_sessions);
    return report_sqlite_step(statement, CANNOT, err);
}

/* Stores the failures of a policy, those of one kind as one. */
static int addition_insert_failures(const struct report_addition *add, int number, struct err *err)
{
    const struct tls_policy *policy = &add->report->policies[number];
    struct tls_failure *sorted;
    size_t n_kinds = 0;
    int result = 0;

    if (policy->n_failures == 0)
        return 0;
    sorted = memory_alloc(policy->n_failures * sizeof(*sorted));
    memcpy(sorted, policy->failures, policy->n_failures * sizeof(*sorted));
    qsort(sorted, policy->n_failures, sizeof(*sorted), failure_compare);
    for (size_t i = 0; i < policy->n_failures; i++) {
        struct tls_failure *last = n_kinds > 0 ? &sorted[n_kinds - 1] : NULL;

        if (!last || failure_compare(last, &sorted[i]) != 0)
            sorted[n_kinds++] = sorted[i];
        else if (last->n_sessions == UNKNOWN_COUNT || sorted[i].n_sessions == UNKNOWN_COUNT ||
                 __builtin_add_overflow(last->n_sessions, sorted[i].n_sessions, &last->n_sessions))
            last->n_sessions = UNKNOWN_COUNT;
    }
    for (size_t i = 0; i < n_kinds && result == 0; i++)
        result = addition_insert_failure(add, number, (int)i, &sorted[i], err);
    free(sorted);
    return result;
}

static int addition_insert_policies(const struct report_addition *add, struct err *err)
{
    int result = 0;

    for (size_t i = 0; i < add->report->n_policies && result == 0; i++) {
        sqlite3_int64 policy_id;
        char *lines;

        if (!addition_wants(add, &add->report->policies[i]))
            continue;
        lines = policy_join(&add->report->policies[i]);
        result = addition_find_policy(add, lines, &policy_id, err);
        free(lines);
        if (result == 0)
            result = addition_insert_entry(add, (int)i, policy_id, err);
        if (result == 0)
            result = addition_insert_failures(add, (int)i, err);
    }
    return result;
}

/* What stands against storing it as a new one: nobody wants it, it is one too many, or it is not
 * the first with its key. */
static int addition_judge(const struct report_addition *add, enum report_outcome *ret_outcome,
                          struct err *err)
{
    *ret_outcome = REPORT_FOREIGN;
    for (size_t i = 0; i < add->report->n_policies; i++) {
        const struct tls_policy *policy = &add->report->policies[i];
        bool is_over = false;

        if (!addition_wants(add, policy))
            continue;
        if (*ret_outcome == REPORT_FOREIGN)
            *ret_outcome = REPORT_NEW;
        if (add->meta->proof == REPORT_PROOF_NONE &&
            addition_check_cap(add, policy->domain, &is_over, err) != 0)
            return -1;
        if (is_over) {
            *ret_outcome = REPORT_OVER_CAP;
            return 0;
        }
    }
    for (size_t i = 0; i < add->report->n_policies && *ret_outcome != REPORT_FOREIGN; i++) {
        int n_others;

        if (!addition_wants(add, &add->report->policies[i]))
            continue;
        if (addition_find_conflicts(add, add->report->policies[i].domain, &n_others, err) != 0)
            return -1;
        if (n_others > 0)
            *ret_outcome = REPORT_CONFLICT;
    }
    return 0;
}

static int addition_put_aside(struct report_database *database, struct slice raw,
                              enum aside_kind kind, const char *reason,
                              const struct report_meta *meta, enum report_outcome *ret_outcome,
                              struct err *err)
{
    static const char insert[] =
        "INSERT OR IGNORE INTO aside (content, received_unix_s, transport, proof, proven_domain,"
        " host, peer, is_foreign, reason, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    static const char bound[] = "DELETE FROM aside WHERE id <= (SELECT max(id) FROM aside) - ?1";
    unsigned char content[CONTENT_HASH_LEN];
    sqlite3_stmt *statement = report_database_statement(database, insert, err);
    enum report_outcome outcome;

    if (!statement)
        return -1;
    content_hash_compute(raw, NULL, content);
    sqlite3_bind_blob(statement, 1, content, sizeof(content), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, meta->received_unix_s);
    sqlite3_bind_int(statement, 3, (int)meta->transport);
    sqlite3_bind_int(statement, 4, (int)meta->proof);
    bind_slice(statement, 5, meta->proven_domain);
    bind_slice(statement, 6, meta->host);
    bind_slice(statement, 7, meta->peer);
    sqlite3_bind_int(statement, 8, (int)kind);
    sqlite3_bind_text(statement, 9, reason, -1, SQLITE_STATIC);
    bind_packed(statement, 10, raw);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    outcome =
        sqlite3_changes(report_database_connection(database)) > 0 ? REPORT_NEW : REPORT_DUPLICATE;
    statement = report_database_statement(database, bound, err);
    if (!statement)
        return -1;
    sqlite3_bind_int(statement, 1, REPORT_ASIDE_MAX);
    if (report_sqlite_step(statement, CANNOT, err) != 0)
        return -1;
    *ret_outcome = outcome;
    return 0;
}

int report_store_add(struct report_database *database, const struct tls_report *report,
                     struct slice json, const struct report_meta *meta, report_ownership *is_ours,
                     const void *context, enum report_outcome *ret_outcome, struct err *err)
{
    struct report_addition add = {.database = database,
                                  .report = report,
                                  .meta = meta,
                                  .is_ours = is_ours,
                                  .context = context,
                                  .submitter = report_submitter_of(report),
                                  .day = addition_day(report, meta)};
    unsigned char content[CONTENT_HASH_LEN];
    enum report_outcome outcome;
    bool is_known = false;

    content_hash_compute(json, report, content);
    if (addition_improve(database, content, meta, &is_known, err) != 0)
        return -1;
    if (is_known) {
        *ret_outcome = REPORT_DUPLICATE;
        return 0;
    }
    if (addition_judge(&add, &outcome, err) != 0)
        return -1;
    if (outcome == REPORT_FOREIGN) {
        if (addition_put_aside(database, json, ASIDE_FOREIGN, "is about no domain of ours", meta,
                               &outcome, err) != 0)
            return -1;
        *ret_outcome = outcome == REPORT_NEW ? REPORT_FOREIGN : outcome;
        return 0;
    }
    if (outcome != REPORT_OVER_CAP &&
        (addition_insert_report(&add, content, json, outcome == REPORT_CONFLICT, err) != 0 ||
         addition_insert_policies(&add, err) != 0))
        return -1;
    *ret_outcome = outcome;
    return 0;
}

int report_store_add_unreadable(struct report_database *database, struct slice raw,
                                const char *reason, const struct report_meta *meta,
                                enum report_outcome *ret_outcome, struct err *err)
{
    return addition_put_aside(database, raw, ASIDE_UNREADABLE, reason, meta, ret_outcome, err);
}
