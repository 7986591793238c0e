/* SPDX-License-Identifier: MIT */
#include "reports/report_sqlite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/err.h"

static void test_numbers(void **state)
{
    sqlite3 *sqlite;
    sqlite3_int64 number = 0;
    struct err err;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(report_sqlite_number(sqlite, "SELECT 7", "cannot be read", &number, &err), 0);
    assert_int_equal(number, 7);
    assert_int_equal(report_sqlite_number(sqlite, "SELECT x", "cannot be read", &number, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, EIO);
    assert_int_equal(
        report_sqlite_number(sqlite, "SELECT 7 WHERE 0", "cannot be read", &number, &err), -1);
    assert_int_equal(number, 7);
    sqlite3_close(sqlite);
}

/* A statement that has failed can be run again. */
static void test_step(void **state)
{
    sqlite3 *sqlite;
    sqlite3_stmt *statement;
    sqlite3_int64 number = 0;
    struct err err;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(report_sqlite_run(sqlite, "CREATE TABLE t (x NOT NULL);", "cannot", &err), 0);
    assert_int_equal(sqlite3_prepare_v2(sqlite, "INSERT INTO t VALUES (?1)", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(report_sqlite_step(statement, "cannot add", &err), -1);
    assert_string_equal(err.msg, "cannot add: NOT NULL constraint failed: t.x");
    for (int i = 1; i <= 2; i++) {
        sqlite3_bind_int(statement, 1, i);
        assert_int_equal(report_sqlite_step(statement, "cannot add", &err), 0);
    }
    sqlite3_finalize(statement);
    assert_int_equal(
        report_sqlite_number(sqlite, "SELECT sum(x) FROM t", "cannot be read", &number, &err), 0);
    assert_int_equal(number, 3);
    sqlite3_close(sqlite);
}

static void test_full(void **state)
{
    sqlite3 *sqlite;
    struct err err;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(report_sqlite_run(sqlite, "PRAGMA max_page_count = 3; CREATE TABLE t (x);",
                                       "cannot fill", &err),
                     0);
    assert_int_equal(
        report_sqlite_run(sqlite, "INSERT INTO t VALUES (zeroblob(1000000));", "cannot fill", &err),
        -1);
    assert_int_equal(err.sys_errno, ENOSPC);
    assert_string_equal(err.msg, "cannot fill: the disk is full");
    sqlite3_close(sqlite);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_step), cmocka_unit_test(test_full)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
