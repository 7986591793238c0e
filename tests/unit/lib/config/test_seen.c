/* SPDX-License-Identifier: MIT */
#include "lib/config/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

enum {
    SETTLE_MS = 100, /* longer than the tick of any kernel */
};

static char folder[] = "/tmp/mta-stsd-seen-XXXXXX";
static char path[64], other[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/a.yaml", folder);
    snprintf(other, sizeof(other), "%s/b.yaml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(name, "w");

    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int settle(unsigned settle_ms, struct stat *ret_status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct err err;
    int result;

    assert_true(fd >= 0);
    result = seen_file_settle(fd, settle_ms, ret_status, &err);
    close(fd);
    if (result != 0)
        assert_int_equal(err.code, ERR_IO);
    return result;
}

static void test_settle(void **state)
{
    struct stat status;

    (void)state;
    write_file(path, "a");
    assert_int_equal(settle(SETTLE_MS, &status), 0);
    assert_int_equal(status.st_size, 1);
    assert_true(now_ms() - (int64_t)status.st_ctim.tv_sec * 1000 -
                    status.st_ctim.tv_nsec / 1000000 >=
                SETTLE_MS);
    unlink(path);
}

/* A file server's clock may be ahead: such a file is waited for once, not until that time. */
static void test_settle_from_the_future(void **state)
{
    const struct timespec times[] = {{4102444800, 0}, {4102444800, 0}};
    struct stat status;

    (void)state;
    write_file(path, "a");
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(settle(1, &status), 0);
    unlink(path);
}

static void test_settle_pipe(void **state)
{
    struct stat status;
    int fds[2];
    struct err err;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(seen_file_settle(fds[0], 60 * 1000, &status, &err), 0);
    assert_true(S_ISFIFO(status.st_mode));
    close(fds[0]);
    close(fds[1]);
}

static atomic_bool has_ended;

/* Like an editor that truncates the file and writes it slowly. */
static void *write_in_pieces(void *context)
{
    (void)context;
    while (!atomic_load(&has_ended)) {
        FILE *out = fopen(path, "w");

        for (int i = 0; i < 5; i++) {
            usleep(1000);
            fputc('a', out);
            fflush(out);
        }
        fclose(out);
    }
    return NULL;
}

static void test_settle_while_it_is_written(void **state)
{
    struct stat status = {.st_size = 1234};
    pthread_t thread;

    (void)state;
    write_file(path, "");
    atomic_store(&has_ended, false);
    assert_int_equal(pthread_create(&thread, NULL, write_in_pieces, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(settle(SETTLE_MS, &status), -1);
    assert_int_equal(status.st_size, 1234);
    atomic_store(&has_ended, true);
    pthread_join(thread, NULL);
    unlink(path);
}

static void leave(void)
{
}

static void write_again(void)
{
    write_file(path, "domains: {}\n");
}

static void write_byte(void)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "D", 1, 0), 1);
    close(fd);
}

static void truncate_to_nothing(void)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void replace(void)
{
    write_file(other, "domains: {}\n");
    assert_int_equal(rename(other, path), 0);
}

static void vanish(void)
{
    assert_int_equal(unlink(path), 0);
}

static void become_folder(void)
{
    vanish();
    assert_int_equal(mkdir(path, 0700), 0);
}

static void test_check(void **state)
{
    static const struct {
        const char *what;
        void (*change)(void);
        bool is_change;
    } rows[] = {
        {"nothing", leave, false},         {"the same bytes, written again", write_again, true},
        {"a byte", write_byte, true},      {"truncated", truncate_to_nothing, true},
        {"replaced", replace, true},       {"gone", vanish, true},
        {"a folder", become_folder, true},
    };
    int n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seen_files files = {0};
        struct diag *diag = diag_new(&config_findings);
        struct stat status;
        char *seen;

        write_file(path, "domains: {}\n");
        assert_int_equal(settle(SETTLE_MS, &status), 0);
        seen_files_add(&files, path, (struct place){"main.yaml", 3, 12}, &status);
        rows[i].change();
        seen_files_check(&files, diag);
        seen = fixture_findings(diag, folder, "");
        n_failed += !fixture_equal(
            rows[i].what,
            rows[i].is_change ? "main.yaml:3:12: error: include: '/a.yaml' has changed while the "
                                "configuration was read; try again [file-unreadable]\n"
                              : "",
            seen);
        free(seen);
        diag_free(diag);
        seen_files_done(&files);
        if (unlink(path) != 0)
            rmdir(path);
    }
    assert_int_equal(n_failed, 0);
}

/* More than the array has room for at first; the main file has no line. */
static void test_many(void **state)
{
    struct seen_files files = {0};
    struct diag *diag = diag_new(&config_findings);
    struct stat status;
    char *text;

    (void)state;
    write_file(path, "");
    assert_int_equal(settle(0, &status), 0);
    for (int i = 0; i < 100; i++)
        seen_files_add(&files, path, (struct place){"main.yaml", 0, 0}, &status);
    seen_files_check(&files, diag);
    assert_int_equal(diag_count(diag, LEVEL_ERROR), 0);
    vanish();
    seen_files_check(&files, diag);
    assert_int_equal(diag_count(diag, LEVEL_ERROR), 100);
    text = fixture_findings(diag, folder, "");
    assert_true(slice_starts_with(slice_of(text),
                                  "main.yaml: error: the file has changed while the "
                                  "configuration was read; try again [file-unreadable]\n"));
    free(text);
    diag_free(diag);
    seen_files_done(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settle),      cmocka_unit_test(test_settle_from_the_future),
        cmocka_unit_test(test_settle_pipe), cmocka_unit_test(test_settle_while_it_is_written),
        cmocka_unit_test(test_check),       cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
