/* SPDX-License-Identifier: MIT */
#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
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

static char *beside(const struct fixture *fixture)
{
    static char path[sizeof(fixture->path) + sizeof(".new")];

    snprintf(path, sizeof(path), "%s.new", fixture->path);
    return path;
}

static void check_replaced(const struct fixture *fixture)
{
    static char text[] = "new";
    struct err err;

    assert_int_equal(file_replace(fixture->path, 0644, print_text, text, &err), 0);
    check_content(fixture, (struct slice)SLICE_BYTES("new"));
    assert_int_equal(mode_of(fixture->path), 0644);
    assert_int_equal(count_entries(fixture->folder), 1);
}

static int print_half_and_die(void *context, FILE *out)
{
    fputs(context, out);
    fflush(out);
    kill(getpid(), SIGKILL);
    return 0;
}

static void test_replace_after_kill(void **state)
{
    static char half[] = "half of a text that is longer";
    struct fixture *fixture = *state;
    struct err err;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(file_replace(fixture->path, 0644, print_half_and_die, half, &err));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(access(fixture->path, F_OK), -1);
    assert_int_equal(mode_of(beside(fixture)), 0600); /* until it is whole, nobody else reads it */
    check_replaced(fixture);
}

/* What a stranger may have placed where the new file is to be; none of it is written through. */
static void test_replace_what_was_placed(void **state)
{
    static char text[] = "new";
    struct fixture *fixture = *state;
    char victim[80];
    struct err err;
    int fd;

    snprintf(victim, sizeof(victim), "%s.victim", fixture->path);
    write_file(victim, (struct slice)SLICE_BYTES("victim"));
    for (int row = 0; row < 4; row++) {
        int opened = -1;

        if (row == 0) {
            assert_int_equal(symlink(victim, beside(fixture)), 0);
        } else if (row == 1) {
            assert_int_equal(link(victim, beside(fixture)), 0);
        } else if (row == 2) {
            assert_int_equal(mkfifo(beside(fixture), 0666), 0);
        } else { /* the stranger would read what is written */
            opened = open(beside(fixture), O_RDWR | O_CREAT | O_EXCL, 0666);
            assert_true(opened >= 0);
        }
        assert_int_equal(file_replace(fixture->path, 0600, print_text, text, &err), 0);
        check_content(fixture, (struct slice)SLICE_BYTES("new"));
        assert_int_equal(mode_of(fixture->path), 0600);
        assert_int_equal(access(beside(fixture), F_OK), -1);
        if (opened >= 0) {
            assert_int_equal(lseek(opened, 0, SEEK_END), 0);
            close(opened);
        }
    }
    fd = open(victim, O_RDONLY);
    assert_int_equal(lseek(fd, 0, SEEK_END), strlen("victim"));
    close(fd);
    unlink(victim);
    assert_int_equal(mkdir(beside(fixture), 0755), 0);
    assert_int_equal(file_replace(fixture->path, 0600, print_text, text, &err), -1);
    assert_non_null(strstr(err.msg, "file.new' cannot be made: Is a directory"));
    check_content(fixture, (struct slice)SLICE_BYTES("new"));
    assert_int_equal(rmdir(beside(fixture)), 0);
}

/* While one writer prints, another finds the file taken. */
static int print_and_replace(void *context, FILE *out)
{
    static char inner[] = "inner";
    const struct fixture *fixture = context;
    struct err err;

    fputs("outer", out);
    assert_int_equal(file_replace(fixture->path, 0644, print_text, inner, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "/file' cannot be written: another process is writing it"));
    return 0;
}

static void test_replace_by_two(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    assert_int_equal(file_replace(fixture->path, 0644, print_and_replace, fixture, &err), 0);
    check_content(fixture, (struct slice)SLICE_BYTES("outer"));
    check_replaced(fixture);
}

enum {
    WRITERS = 4,
    ROUNDS = 50,
    WRITER_LEN = 20000, /* more than the buffer of a stream */
};

static int print_letters(void *context, FILE *out)
{
    for (size_t i = 0; i < WRITER_LEN; i++)
        fputc(*(const char *)context, out);
    return ferror(out);
}

/* The file always has all letters of one writer. */
static int replace_many_times(const struct fixture *fixture, char letter)
{
    static char read_back[WRITER_LEN + 1];

    for (int i = 0; i < ROUNDS; i++) {
        struct err err;
        FILE *in;
        size_t len;

        if (file_replace(fixture->path, 0644, print_letters, &letter, &err) != 0 &&
            !strstr(err.msg, "another process is writing it"))
            return 1;
        in = fopen(fixture->path, "r");
        if (!in) /* others still write the first */
            continue;
        len = fread(read_back, 1, sizeof(read_back), in);
        fclose(in);
        for (size_t at = 0; at < len; at++)
            if (read_back[at] != read_back[0])
                return 2;
        if (len != WRITER_LEN)
            return 3;
    }
    return 0;
}

static void test_replace_by_many(void **state)
{
    struct fixture *fixture = *state;
    pid_t children[WRITERS];

    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(replace_many_times(fixture, (char)('a' + i)));
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    check_replaced(fixture);
}

/* A disk that is full ends a write as the limit of a file's size does. */
static void test_replace_without_room(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, limit;
    struct err err;
    char letter = 'a';

    write_file(fixture->path, (struct slice)SLICE_BYTES("old"));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){WRITER_LEN / 2, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(file_replace(fixture->path, 0644, print_letters, &letter, &err), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(err.sys_errno, EFBIG);
    check_content(fixture, (struct slice)SLICE_BYTES("old"));
    assert_int_equal(count_entries(fixture->folder), 1);
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
        cmocka_unit_test_setup_teardown(test_replace_after_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_what_was_placed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_by_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_by_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_without_room, set_up, tear_down),
        cmocka_unit_test(test_fill_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
