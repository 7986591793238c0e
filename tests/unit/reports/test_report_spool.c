/* SPDX-License-Identifier: MIT */
#include "reports/report_spool.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define HEAD                                                     \
    "mta-stsd report 1\nreceived: 1764370000\nhost: a.example\n" \
    "peer: 192.0.2.1\ncontent-type: application/tlsrpt+json\nlength: 2\n\n"
#define MADE_OF(number) "176437000000000" number "-0123456789abcdef"

static char directory[64];

static int open_directory(void **state)
{
    char path[128];

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/report-spool-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/spool", directory);
    return mkdir(path, 0700);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *level)
{
    (void)status;
    (void)kind;
    (void)level;
    return remove(path);
}

static int remove_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
    char path[256];
    FILE *out;

    snprintf(path, sizeof(path), "%s/spool/%s", directory, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static bool is_there(const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/spool/%s", directory, name);
    return access(path, F_OK) == 0;
}

static struct report_spool *open_spool(void)
{
    struct report_spool *spool;
    struct err err;

    if (report_spool_open(directory, &spool, &err) != 0)
        fail_msg("%s", err.msg);
    return spool;
}

/* The body of the next one; NULL: there is none. */
static const char *take(struct report_spool *spool)
{
    static char body[64];
    struct arena *arena = arena_new(0);
    struct spooled_report report;
    struct err err;
    int found = report_spool_next(spool, arena, &report, &err);

    if (found < 0)
        fail_msg("%s", err.msg);
    if (found == 1)
        snprintf(body, sizeof(body), "%.*s", SLICE_ARG(report.body));
    arena_free(arena);
    return found == 1 ? body : NULL;
}

static void forget(struct report_spool *spool)
{
    struct err err;

    if (report_spool_forget(spool, &err) != 0)
        fail_msg("%s", err.msg);
}

/* A report is removed when the database has it, and not before. */
static void test_order(void **state)
{
    struct report_spool *spool;
    struct arena *arena = arena_new(0);
    struct spooled_report report;
    struct err err;

    (void)state;
    put(MADE_OF("3"), HEAD "{3");
    put(MADE_OF("1"), HEAD "{1");
    put("." MADE_OF("2"), HEAD "{2");
    spool = open_spool();
    assert_int_equal(report_spool_next(spool, arena, &report, &err), 1);
    assert_true(slice_eq_text(report.body, "{1"));
    assert_true(slice_eq_text(report.content_type, "application/tlsrpt+json"));
    assert_int_equal(report.meta.received_unix_s, 1764370000);
    assert_int_equal(report.meta.transport, REPORT_BY_HTTPS);
    assert_int_equal(report.meta.proof, REPORT_PROOF_NONE);
    assert_true(slice_eq_text(report.meta.host, "a.example"));
    assert_true(slice_eq_text(report.meta.peer, "192.0.2.1"));
    report_spool_close(spool);
    assert_true(is_there(MADE_OF("1")));

    spool = open_spool();
    assert_string_equal(take(spool), "{1");
    forget(spool);
    assert_false(is_there(MADE_OF("1")));
    assert_string_equal(take(spool), "{3");
    assert_true(is_there(MADE_OF("3")));
    assert_null(take(spool));
    forget(spool);
    assert_false(is_there(MADE_OF("3")));
    assert_true(is_there("." MADE_OF("2")));
    assert_int_equal(report_spool_n_failed(spool), 0);
    report_spool_close(spool);
    report_spool_close(NULL);
    arena_free(arena);
}

static void test_put_aside(void **state)
{
    struct report_spool *spool;
    char path[256], reason[256] = "";
    FILE *in;

    (void)state;
    put(MADE_OF("1"), "mta-stsd report 2\n");
    put(MADE_OF("2"), HEAD "{2");
    spool = open_spool();
    assert_string_equal(take(spool), "{2");
    assert_null(take(spool));
    assert_int_equal(report_spool_n_failed(spool), 1);
    report_spool_close(spool);
    assert_false(is_there(MADE_OF("1")));
    assert_true(is_there("failed/" MADE_OF("1")));
    snprintf(path, sizeof(path), "%s/spool/failed/%s.reason", directory, MADE_OF("1"));
    in = fopen(path, "r");
    assert_non_null(in);
    assert_non_null(fgets(reason, sizeof(reason), in));
    assert_true(strlen(reason) > 10);
    fclose(in);
}

/* A reader that a report ends: twice it is tried, before all others, then they go on without it. */
static void crash(const char *last)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct report_spool *spool = open_spool();
        const char *body = NULL;

        do {
            body = take(spool);
        } while (body && strcmp(body, last) != 0);
        _exit(body ? 7 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_crash(void **state)
{
    struct report_spool *spool;

    (void)state;
    put(MADE_OF("1"), HEAD "{1");
    put(MADE_OF("2"), HEAD "{2");
    put(MADE_OF("3"), HEAD "{3");
    crash("{2");
    spool = open_spool();
    assert_string_equal(take(spool), "{2"); /* tried once more, before the others */
    assert_string_equal(take(spool), "{1");
    report_spool_close(spool);

    crash("{2"); /* the reader before ended by itself, so this counts anew */
    crash("{2");
    spool = open_spool();
    assert_string_equal(take(spool), "{1");
    assert_string_equal(take(spool), "{3");
    assert_null(take(spool));
    forget(spool);
    assert_int_equal(report_spool_n_failed(spool), 1);
    assert_true(is_there("failed/" MADE_OF("2")));
    report_spool_close(spool);
}

static void test_one_reader(void **state)
{
    struct report_spool *spool = open_spool(), *other;
    struct err err;

    (void)state;
    assert_int_equal(report_spool_open(directory, &other, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    report_spool_close(spool);
    spool = open_spool();
    assert_null(take(spool));
    report_spool_close(spool);
    assert_int_equal(report_spool_open("/nonexistent", &other, &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
}

/* What is aside has a bound. */
static void test_bound(void **state)
{
    struct report_spool *spool;
    char name[64];

    (void)state;
    for (int i = 0; i < REPORT_SPOOL_FAILED_MAX + 2; i++) {
        snprintf(name, sizeof(name), "%016d-0123456789abcdef", i);
        put(name, "no report");
    }
    spool = open_spool();
    assert_null(take(spool));
    assert_int_equal(report_spool_n_failed(spool), REPORT_SPOOL_FAILED_MAX + 2);
    report_spool_close(spool);
    assert_false(is_there("failed/0000000000000001-0123456789abcdef"));
    assert_false(is_there("failed/0000000000000001-0123456789abcdef.reason"));
    assert_true(is_there("failed/0000000000000002-0123456789abcdef"));
    assert_true(is_there("failed/0000000000000002-0123456789abcdef.reason"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, open_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_put_aside, open_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_crash, open_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_one_reader, open_directory, remove_directory),
        cmocka_unit_test_setup_teardown(test_bound, open_directory, remove_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
