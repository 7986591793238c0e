/* SPDX-License-Identifier: MIT */
#include "lib/state/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

static char directory[64];
static uint64_t now_ms;

static uint64_t test_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static int64_t test_unix_ms(const struct clock *clock)
{
    (void)clock;
    return INT64_C(1764370000123);
}

static const struct clock test_clock = {.monotonic_ms = test_monotonic_ms, .unix_ms = test_unix_ms};
static const struct spool_quota wide = {UINT64_C(1) << 30, 1000};

static int open_directory(void **state)
{
    (void)state;
    now_ms = 100000;
    snprintf(directory, sizeof(directory), "/tmp/spool-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *level)
{
    (void)status;
    (void)kind;
    (void)level;
    return remove(path);
}

static int close_directory(void **state)
{
    (void)state;
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

/* The path of a file in the spool. */
static const char *spooled_path(const char *name)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/" SPOOL_DIRECTORY "/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static struct spool *open_spool(const struct spool_quota *quota)
{
    struct spool *spool;
    struct err err;

    if (spool_open(directory, quota, &test_clock, &spool, &err) != 0)
        fail_msg("%s", err.msg);
    return spool;
}

static struct spool_report report_of(const char *body)
{
    return (struct spool_report){.entry = {.host = slice_of("mta-sts.example.com"),
                                           .peer = slice_of("192.0.2.1"),
                                           .content_type = slice_of("application/tlsrpt+json"),
                                           .body = slice_of(body)}};
}

static enum spool_result write_one(struct spool *spool, struct slice body)
{
    struct spool_report report = report_of("");
    struct spool_report *reports[] = {&report};
    struct err err;

    report.entry.body = body;
    assert_int_equal(spool_write(spool, reports, 1, &err), report.result == SPOOL_FAILED ? -1 : 0);
    return report.result;
}

/* The names in the spool, but for "." and ".."; at most `max`. */
static size_t list_names(char names[][300], size_t max)
{
    DIR *stream = opendir(path_of(SPOOL_DIRECTORY));
    const struct dirent *file;
    size_t n = 0;

    assert_non_null(stream);
    while ((file = readdir(stream)))
        if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0) {
            assert_in_range(n, 0, max - 1);
            snprintf(names[n++], sizeof(names[0]), "%s", file->d_name);
        }
    closedir(stream);
    return n;
}

static struct spool_entry read_entry(const char *name, struct arena *arena)
{
    struct spool_entry entry = {0};
    struct slice bytes;
    struct err err;

    if (file_read(spooled_path(name), 1 << 20, arena, &bytes, &err) != 0 ||
        spool_entry_parse(bytes, &entry, &err) != 0)
        fail_msg("%s: %s", name, err.msg);
    return entry;
}

static void test_group(void **state)
{
    struct spool *spool = open_spool(&wide);
    struct spool_report first = report_of("{\"a\": 1}"), second = report_of("{}");
    struct spool_report *reports[] = {&first, &second};
    struct arena *arena = arena_new(0);
    char names[8][300];
    unsigned found = 0;
    struct err err;

    (void)state;
    first.result = second.result = SPOOL_FAILED;
    assert_int_equal(spool_write(spool, reports, 2, &err), 0);
    assert_int_equal(first.result, SPOOL_KEPT);
    assert_int_equal(second.result, SPOOL_KEPT);
    assert_int_equal(list_names(names, 8), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct spool_entry entry = read_entry(names[i], arena);

        assert_int_equal(strspn(names[i] + 17, "0123456789abcdef"), 16);
        assert_int_equal(strlen(names[i]), 17 + 16);
        assert_memory_equal(names[i], "1764370000123000-", 17);
        assert_int_equal(entry.received_unix_s, 1764370000);
        assert_true(slice_eq_text(entry.host, "mta-sts.example.com"));
        found |= slice_eq_text(entry.body, "{}") ? 1 : 2;
    }
    assert_int_equal(found, 3);
    assert_int_equal(spool_counted(spool)->n_files, 2);
    assert_int_equal(spool_counted(spool)->n_waiting, 2);
    assert_int_equal(spool_counted(spool)->bytes, 2 * SPOOL_BLOCK);
    arena_free(arena);
    spool_close(spool);
}

static void test_modes(void **state)
{
    struct spool *spool = open_spool(&wide);
    struct stat status;
    char names[1][300];

    (void)state;
    write_one(spool, slice_of("{}"));
    assert_int_equal(stat(path_of(SPOOL_DIRECTORY), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    list_names(names, 1);
    assert_int_equal(stat(spooled_path(names[0]), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    spool_close(spool);
}

/* What is there at the start is counted, but for halves, which go. */
static void test_found(void **state)
{
    struct spool *spool;
    char names[4][300];

    (void)state;
    assert_int_equal(mkdir(path_of(SPOOL_DIRECTORY), 0700), 0);
    assert_int_equal(mkdir(path_of(SPOOL_DIRECTORY "/" SPOOL_FAILED_DIRECTORY), 0700), 0);
    write_file(SPOOL_DIRECTORY "/.1-a", "half");
    write_file(SPOOL_DIRECTORY "/1-b", "whole");
    write_file(SPOOL_DIRECTORY "/" SPOOL_FAILED_DIRECTORY "/1-c", "");
    write_file(SPOOL_DIRECTORY "/" SPOOL_FAILED_DIRECTORY "/1-c.reason", "why");
    spool = open_spool(&wide);
    assert_int_equal(spool_counted(spool)->n_waiting, 1);
    assert_int_equal(spool_counted(spool)->n_files, 3);
    assert_int_equal(spool_counted(spool)->bytes, 2 * SPOOL_BLOCK);
    assert_int_equal(list_names(names, 4), 2);
    spool_close(spool);
}

static void remove_all_files(void)
{
    char names[16][300];

    for (size_t n = list_names(names, 16); n-- > 0;)
        assert_int_equal(unlink(spooled_path(names[n])), 0);
}

/* A full spool is looked at again after a while. */
static void assert_fills(const struct spool_quota *quota)
{
    struct spool *spool = open_spool(quota);
    char names[16][300];

    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_KEPT);
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_KEPT);
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_FULL);
    assert_int_equal(list_names(names, 16), 2);
    remove_all_files();
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_FULL);
    now_ms += 5000;
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_KEPT);
    assert_int_equal(spool_counted(spool)->n_files, 1);
    spool_close(spool);
    remove_all_files();
}

static void test_quota(void **state)
{
    static const char large[2 * SPOOL_BLOCK] = "{";
    const struct spool_quota few = {UINT64_C(1) << 30, 2}, small = {2 * SPOOL_BLOCK, 1000};
    struct spool *spool;

    (void)state;
    assert_fills(&few);
    assert_fills(&small);
    spool = open_spool(&small);
    assert_int_equal(write_one(spool, (struct slice){large, sizeof(large)}), SPOOL_FULL);
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_KEPT);
    spool_close(spool);
}

/* The first report finds the disk full in its middle, the second has room. */
static void test_disk_full(void **state)
{
    static char large[100 * 1000] = "{";
    struct spool *spool = open_spool(&wide);
    struct spool_report first = report_of(""), second = report_of("{}");
    struct spool_report *reports[] = {&first, &second};
    const struct rlimit small = {50 * 1000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    char names[4][300], message[160];
    struct err err;

    (void)state;
    first.entry.body = (struct slice){large, sizeof(large)};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(spool_write(spool, reports, 2, &err), -1);
    setrlimit(RLIMIT_FSIZE, &none);
    assert_int_equal(err.code, ERR_IO);
    snprintf(message, sizeof(message), "a report cannot be written to '%s/spool': File too large",
             directory);
    assert_string_equal(err.msg, message);
    assert_int_equal(first.result, SPOOL_FAILED);
    assert_int_equal(second.result, SPOOL_KEPT);
    assert_int_equal(list_names(names, 4), 1);
    assert_int_equal(spool_counted(spool)->n_files, 1);
    spool_close(spool);
}

/* Somebody removes the directory while the daemon runs. */
static void test_directory_gone(void **state)
{
    struct spool *spool = open_spool(&wide);
    char names[4][300], message[160];
    struct spool_report report = report_of("{}");
    struct spool_report *reports[] = {&report};
    struct err err;

    (void)state;
    assert_int_equal(rmdir(path_of(SPOOL_DIRECTORY)), 0);
    assert_int_equal(write_one(spool, slice_of("{}")), SPOOL_KEPT);
    assert_int_equal(list_names(names, 4), 1);
    remove_all_files();
    assert_int_equal(rmdir(path_of(SPOOL_DIRECTORY)), 0);
    write_file(SPOOL_DIRECTORY, "no directory");
    assert_int_equal(spool_write(spool, reports, 1, &err), -1);
    assert_int_equal(report.result, SPOOL_FAILED);
    snprintf(message, sizeof(message), "'%s/spool' cannot be opened: Not a directory", directory);
    assert_string_equal(err.msg, message);
    assert_int_equal(spool_recount(spool, &err), -1);
    spool_close(spool);
}

static void test_no_state_directory(void **state)
{
    struct spool *spool = NULL;
    struct err err;

    (void)state;
    assert_int_equal(spool_open("/nonexistent", &wide, &test_clock, &spool, &err), -1);
    assert_string_equal(err.msg, "'/nonexistent/spool' cannot be made: No such file or directory");
    assert_null(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_group, open_directory, close_directory),
        cmocka_unit_test_setup_teardown(test_modes, open_directory, close_directory),
        cmocka_unit_test_setup_teardown(test_found, open_directory, close_directory),
        cmocka_unit_test_setup_teardown(test_quota, open_directory, close_directory),
        cmocka_unit_test_setup_teardown(test_disk_full, open_directory, close_directory),
        cmocka_unit_test_setup_teardown(test_directory_gone, open_directory, close_directory),
        cmocka_unit_test(test_no_state_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
