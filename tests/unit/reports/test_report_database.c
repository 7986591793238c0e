/* SPDX-License-Identifier: MIT */
#include "reports/report_database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "support/stored.h"

static void path_of(const struct stored *stored, char *path, size_t size)
{
    snprintf(path, size, "%s/" REPORT_DATABASE_FILE, stored->directory);
}

static void test_reopen(void **state)
{
    struct stored stored;
    struct report_database *again;
    struct stat status;
    struct err err;
    char path[128];

    (void)state;
    stored_open(&stored);
    path_of(&stored, path, sizeof(path));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(report_database_open(stored.directory, &again, &err), 0);
    report_database_close(again);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 0);
    assert_int_equal(stored_number(&stored, "PRAGMA auto_vacuum"), 2); /* incremental */
    stored_close(&stored);
    assert_int_equal(report_database_open("/nonexistent", &again, &err), -1);
    assert_string_equal(
        err.msg, "state: the directory '/nonexistent' cannot be opened: No such file or directory");
    assert_int_equal(err.sys_errno, ENOENT);
    report_database_close(NULL);
}

struct opener {
    const char *directory;
    pthread_barrier_t *start;
    int result;
    struct err err;
};

static void *opener_run(void *context)
{
    struct opener *opener = context;
    struct report_database *database = NULL;

    pthread_barrier_wait(opener->start);
    opener->result = report_database_open(opener->directory, &database, &opener->err);
    report_database_close(database);
    return NULL;
}

/* The daemon's first start has several programs open a database that is not there yet. */
static void test_first_opened_by_many(void **state)
{
    enum { OPENERS = 6, ROUNDS = 40 };

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct opener openers[OPENERS];
        pthread_t threads[OPENERS];
        pthread_barrier_t start;
        struct stored stored;
        struct err err;
        char path[128];

        stored_open(&stored);
        report_database_close(stored.database);
        path_of(&stored, path, sizeof(path));
        assert_int_equal(unlink(path), 0);
        pthread_barrier_init(&start, NULL, OPENERS);
        for (int i = 0; i < OPENERS; i++) {
            openers[i] = (struct opener){.directory = stored.directory, .start = &start};
            assert_int_equal(pthread_create(&threads[i], NULL, opener_run, &openers[i]), 0);
        }
        for (int i = 0; i < OPENERS; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&start);
        for (int i = 0; i < OPENERS; i++)
            assert_string_equal(openers[i].result == 0 ? "" : openers[i].err.msg, "");
        assert_int_equal(report_database_open(stored.directory, &stored.database, &err), 0);
        stored_close(&stored);
    }
}

/* A group is kept as a whole or not at all, also when the program ends within it. */
static void test_groups(void **state)
{
    struct tls_policy policy = stored_policy("example.com");
    struct tls_report report = stored_report(&policy, 1);
    struct report_meta meta = stored_meta(REPORT_PROOF_DKIM);
    struct stored stored;
    struct err err;

    (void)state;
    stored_open(&stored);
    assert_int_equal(stored_add(&stored, &report, "{}", &meta), REPORT_NEW);
    assert_int_equal(report_database_begin(stored.database, &err), 0);
    assert_non_null(report_database_statement(stored.database, "DELETE FROM report", &err));
    assert_int_equal(sqlite3_exec(report_database_connection(stored.database), "DELETE FROM report",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 0);
    report_database_roll_back(stored.database);
    report_database_roll_back(stored.database);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 1);
    assert_int_equal(report_database_begin(stored.database, &err), 0);
    sqlite3_exec(report_database_connection(stored.database), "DELETE FROM report", NULL, NULL,
                 NULL);
    report_database_close(stored.database);
    assert_int_equal(report_database_open(stored.directory, &stored.database, &err), 0);
    assert_int_equal(stored_number(&stored, "SELECT count(*) FROM report"), 1);
    stored_close(&stored);
}

/* Another process writes: that is said as "try again". */
static void test_locked(void **state)
{
    struct stored stored;
    struct report_database *other;
    struct err err;

    (void)state;
    stored_open(&stored);
    assert_int_equal(report_database_open(stored.directory, &other, &err), 0);
    sqlite3_busy_timeout(report_database_connection(other), 0);
    assert_int_equal(report_database_begin(stored.database, &err), 0);
    assert_int_equal(report_database_begin(other, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, EAGAIN);
    assert_string_equal(err.msg, "cannot store reports: another process has the database locked");
    assert_int_equal(report_database_commit(stored.database, &err), 0);
    report_database_close(other);
    stored_close(&stored);
}

static void test_damaged(void **state)
{
    static const char garbage[] = "this is no database, and long enough to be read as a header of "
                                  "one: 100 bytes of it, and more";
    struct stored stored;
    struct report_database *again;
    struct err err;
    char path[128];
    int fd;

    (void)state;
    stored_open(&stored);
    path_of(&stored, path, sizeof(path));
    report_database_close(stored.database);
    stored.database = NULL;
    fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, garbage, sizeof(garbage)), sizeof(garbage));
    close(fd);
    assert_int_equal(report_database_open(stored.directory, &again, &err), -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_non_null(strstr(
        err.msg,
        "/reports.sqlite' cannot be read: the file is damaged, or is no database; restore it"));
    stored_close(&stored);
}

/* Who reads does not wait for who writes. */
static void test_read_while_locked(void **state)
{
    struct stored stored;
    struct report_database *reader;
    struct err err;

    (void)state;
    stored_open(&stored);
    assert_int_equal(report_database_begin(stored.database, &err), 0);
    if (report_database_open(stored.directory, &reader, &err) != 0)
        fail_msg("%s", err.msg);
    report_database_close(reader);
    report_database_roll_back(stored.database);
    stored_close(&stored);
}

/* A database of another program keeps its bytes. */
static void test_of_another(void **state)
{
    struct stored stored;
    struct report_database *again;
    struct err err;
    char path[128], before[4096], after[4096];
    sqlite3 *sqlite;
    FILE *file;

    (void)state;
    stored_open(&stored);
    report_database_close(stored.database);
    stored.database = NULL;
    path_of(&stored, path, sizeof(path));
    unlink(path);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    file = fopen(path, "r");
    assert_int_equal(fread(before, 1, sizeof(before), file), sizeof(before));
    fclose(file);
    assert_int_equal(report_database_open(stored.directory, &again, &err), -1);
    assert_non_null(strstr(err.msg, "is a database of another program"));
    file = fopen(path, "r");
    assert_int_equal(fread(after, 1, sizeof(after), file), sizeof(after));
    fclose(file);
    assert_memory_equal(before, after, sizeof(before));
    stored_close(&stored);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reopen),    cmocka_unit_test(test_first_opened_by_many),
        cmocka_unit_test(test_groups),    cmocka_unit_test(test_locked),
        cmocka_unit_test(test_damaged),   cmocka_unit_test(test_read_while_locked),
        cmocka_unit_test(test_of_another)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
