/* SPDX-License-Identifier: MIT */
#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

/* A folder of the test's own, and an arena. */
struct fixture {
    char folder[32];
    char path[64];
    struct arena *arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_alloc(sizeof(*fixture));

    *fixture = (struct fixture){.folder = "/tmp/mta-stsd.XXXXXX", .arena = arena_new(0)};
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/file", fixture->folder);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0); /* nothing temporary was left */
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static void write_file(const char *path, struct slice bytes)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fwrite(bytes.ptr, 1, bytes.len, out);
    assert_int_equal(fclose(out), 0);
}

static void check_content(const struct fixture *fixture, struct slice want)
{
    struct slice seen;
    struct err err;

    assert_int_equal(file_read(fixture->path, 1024 * 1024, fixture->arena, &seen, &err), 0);
    assert_true(slice_eq(seen, want));
}

static void test_read(void **state)
{
    static const struct {
        size_t len, max;
        int result;
    } rows[] = {
        {0, 0, 0},
        {1, 0, -1},
        {1, 1, 0},
        {2, 1, -1},
        {16 * 1024 - 1, 1 << 20, 0}, /* the buffer's first size */
        {16 * 1024, 1 << 20, 0},
        {16 * 1024 + 1, 1 << 20, 0},
        {100000, 100000, 0},
        {100001, 100000, -1},
        {100000, SIZE_MAX, 0},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *bytes = arena_alloc(fixture->arena, rows[i].len + 1);
        struct slice seen = {NULL, 7};
        struct err err = {.code = ERR_NONE};
        int result;

        for (size_t j = 0; j < rows[i].len; j++)
            bytes[j] = (char)(j % 251);
        write_file(fixture->path, (struct slice){bytes, rows[i].len});
        result = file_read(fixture->path, rows[i].max, fixture->arena, &seen, &err);
        if (result != rows[i].result)
            fail_msg("row %zu: wanted %d, saw %d", i, rows[i].result, result);
        if (result != 0 && (err.code != ERR_LIMIT || seen.ptr || seen.len != 7))
            fail_msg("row %zu: wanted ERR_LIMIT, saw %d and a touched result", i, (int)err.code);
        if (result == 0 &&
            (!slice_eq(seen, (struct slice){bytes, rows[i].len}) || seen.ptr[seen.len] != '\0'))
            fail_msg("row %zu: wanted the file's %zu bytes and a NUL, saw %zu", i, rows[i].len,
                     seen.len);
    }
}

/* Callers put the file's name before the message. */
static void test_read_errors(void **state)
{
    struct fixture *fixture = *state;
    struct slice bytes;
    struct err err;

    assert_int_equal(file_read(fixture->path, 10, fixture->arena, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.msg, "cannot be read: No such file or directory");
    assert_int_equal(file_read(fixture->folder, 10, fixture->arena, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, EISDIR);
    assert_string_equal(err.msg, "cannot be read: Is a directory");
    write_file(fixture->path, (struct slice)SLICE_BYTES("12345678901"));
    assert_int_equal(file_read(fixture->path, 10, fixture->arena, &bytes, &err), -1);
    assert_string_equal(err.msg, "is larger than 10 bytes");
    assert_int_equal(file_read("/dev/zero", 100000, fixture->arena, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

/* What nobody writes to, or never ends, holds up nobody. */
static void test_read_regular(void **state)
{
    static const char refusal[] = "is not a regular file, so to read it might never end";
    struct fixture *fixture = *state;
    struct slice bytes;
    struct stat status;
    struct err err;

    write_file(fixture->path, (struct slice)SLICE_BYTES("a\0b"));
    assert_int_equal(file_read_regular(fixture->path, 3, fixture->arena, &status, &bytes, &err), 0);
    assert_true(slice_eq(bytes, (struct slice)SLICE_BYTES("a\0b")));
    assert_int_equal(status.st_size, 3);
    assert_int_equal(file_read_regular(fixture->path, 2, fixture->arena, &status, &bytes, &err),
                     -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(file_read_regular(fixture->path, 3, fixture->arena, &status, &bytes, &err),
                     -1);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_null(file_open_regular(fixture->path, &err));
    assert_string_equal(err.msg, refusal);
    assert_int_equal(file_read_regular(fixture->path, 3, fixture->arena, &status, &bytes, &err),
                     -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.msg, refusal);
    assert_int_equal(file_read_regular("/dev/null", 3, fixture->arena, &status, &bytes, &err), -1);
    assert_string_equal(err.msg, refusal);
    assert_int_equal(file_read_regular(fixture->folder, 3, fixture->arena, &status, &bytes, &err),
                     -1);
    assert_int_equal(err.sys_errno, EISDIR);
}

/* The kernel says that these are regular and have no bytes. */
static void test_read_without_size(void **state)
{
    struct fixture *fixture = *state;
    struct slice bytes;
    struct err err;

    assert_int_equal(file_read("/proc/self/status", 1 << 20, fixture->arena, &bytes, &err), 0);
    assert_true(bytes.len > 100);
    assert_int_equal(bytes.ptr[bytes.len - 1], '\n');
}

static void test_read_standard_input(void **state)
{
    struct fixture *fixture = *state;
    int old_stdin = dup(STDIN_FILENO), ends[2];
    struct slice bytes;
    struct err err;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a\0b", 3), 3);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(file_read("-", 3, fixture->arena, &bytes, &err), 0);
    assert_true(slice_eq(bytes, (struct slice)SLICE_BYTES("a\0b")));
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* left open */
    dup2(old_stdin, STDIN_FILENO);
    close(old_stdin);
}

static int print_text(void *context, FILE *out)
{
    fputs(context, out);
    return ferror(out);
}

static int print_half_and_fail(void *context, FILE *out)
{
    fputs(context, out);
    fflush(out);
    return 1;
}

static unsigned mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void test_replace(void **state)
{
    static char empty[] = "", text[] = "one\ntwo\n";
    struct fixture *fixture = *state;
    mode_t old_umask = umask(077);
    struct err err;

    assert_int_equal(file_replace(fixture->path, 0644, print_text, text, &err), 0);
    check_content(fixture, (struct slice)SLICE_BYTES("one\ntwo\n"));
    assert_int_equal(mode_of(fixture->path), 0644); /* whatever the umask */
    assert_int_equal(file_replace(fixture->path, 0400, print_text, empty, &err), 0);
    check_content(fixture, (struct slice)SLICE_BYTES(""));
    assert_int_equal(mode_of(fixture->path), 0400);
    umask(old_umask);
}

static size_t count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    size_t count = 0;

    assert_non_null(entries);
    while (readdir(entries))
        count++;
    closedir(entries);
    return count - 2; /* . and .. */
}

static void test_replace_failure_keeps_old(void **state)
{
    static char half[] = "ha";
    struct fixture *fixture = *state;
    size_t open_before = count_entries("/proc/self/fd");
    struct err err;

    write_file(fixture->path, (struct slice)SLICE_BYTES("old"));
    assert_int_equal(file_replace(fixture->path, 0600, print_half_and_fail, half, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, EIO); /* the writer gave no reason of its own */
    assert_non_null(strstr(err.msg, "file' cannot be written: "));
    check_content(fixture, (struct slice)SLICE_BYTES("old"));
    assert_int_equal(count_entries(fixture->folder), 1);
    assert_int_equal(count_entries("/proc/self/fd"), open_before);
}

static void test_replace_errors(void **state)
{
    static char text[] = "x";
    struct fixture *fixture = *state;
    char below[80];
    struct err err;

    snprintf(below, sizeof(below), "%s/file", fixture->path);
    assert_int_equal(file_replace(below, 0600, print_text, text, &err), -1);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_non_null(strstr(err.msg, "cannot be made: No such file or directory"));
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_int_equal(file_replace(fixture->path, 0600, print_text, text, &err), -1);
    assert_int_equal(err.sys_errno, EISDIR);
    assert_int_equal(rmdir(fixture->path), 0);
    assert_int_equal(count_entries(fixture->folder), 0);
}

/* Which of 0, 1 and 2 are closed, as bits; in a child, whose end says what was found. */
static int fill_standard_in_child(unsigned closed)
{
    char byte = 0;

    for (int fd = 0; fd < 3; fd++)
        if (closed & (1U << fd))
            close(fd);
    if (file_fill_standard() != 0)
        return 1;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return 2;
    if ((closed & 1) && (read(0, &byte, 1) != -1 || errno != EBADF))
        return 3;
    for (int fd = 1; fd < 3; fd++)
        if ((closed & (1U << fd)) && (write(fd, &byte, 1) != -1 || errno != EBADF))
            return 4;
    return 0;
}

static void test_fill_standard(void **state)
{
    (void)state;
    for (unsigned closed = 0; closed < 8; closed++) {
        pid_t pid = fork();
        int status;

        if (pid == 0)
            _exit(fill_standard_in_child(closed));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0)
            fail_msg("%u: exit status %d", closed, WEXITSTATUS(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_without_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_regular, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_standard_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_failure_keeps_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_errors, set_up, tear_down),
        cmocka_unit_test(test_fill_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
