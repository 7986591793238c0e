/* SPDX-License-Identifier: MIT */
#include "reports/report_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "reports/report_sqlite.h"

static sqlite3 *memory_open(const char *sql)
{
    sqlite3 *sqlite;
    struct err err;

    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(report_sqlite_run(sqlite, sql, "cannot prepare", &err), 0);
    return sqlite;
}

static void test_new_and_again(void **state)
{
    sqlite3 *sqlite = memory_open("");
    sqlite3_int64 version = 0;
    struct err err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(report_schema_apply(sqlite, &err), 0);
        assert_int_equal(
            report_sqlite_number(sqlite, "PRAGMA user_version", "cannot be read", &version, &err),
            0);
        assert_int_equal(version, 1);
        assert_true(sqlite3_get_autocommit(sqlite));
    }
    sqlite3_close(sqlite);
}

/* What is refused stays as it is. */
static void test_refused(void **state)
{
    static const struct {
        const char *sql, *message;
        enum err_code code;
    } rows[] = {
        {"CREATE TABLE t (x);", "is a database of another program", ERR_SYNTAX},
        {"PRAGMA application_id = 1297372244; PRAGMA user_version = 99;",
         "is of a later version of mta-stsd", ERR_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sqlite3 *sqlite = memory_open(rows[i].sql);
        sqlite3_int64 n_tables = 0;
        struct err err;

        assert_int_equal(report_schema_apply(sqlite, &err), -1);
        assert_string_equal(err.msg, rows[i].message);
        assert_int_equal(err.code, rows[i].code);
        assert_true(sqlite3_get_autocommit(sqlite));
        assert_int_equal(report_sqlite_number(sqlite,
                                              "SELECT count(*) FROM sqlite_schema"
                                              " WHERE name = 'report'",
                                              "cannot be read", &n_tables, &err),
                         0);
        assert_int_equal(n_tables, 0);
        sqlite3_close(sqlite);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_new_and_again),
                                              cmocka_unit_test(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
