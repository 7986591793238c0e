/* SPDX-License-Identifier: MIT */
#include "lib/base/line_output.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Two ends that read and write. */
static void make_pipe(int ret_ends[2])
{
    assert_int_equal(pipe(ret_ends), 0);
}

static void make_sockets(int ret_ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ret_ends), 0);
}

static void (*const makers[])(int ret_ends[2]) = {make_pipe, make_sockets};

static void test_sizes(void **state)
{
    static const struct {
        size_t len;
        int want;
    } rows[] = {{0, 0}, {1, 0}, {PIPE_BUF - 1, 0}, {PIPE_BUF, 0}, {PIPE_BUF + 1, -1}};
    static char bytes[PIPE_BUF + 1], seen[PIPE_BUF + 1];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (size_t maker = 0; maker < ARRAY_LEN(makers); maker++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            int ends[2];

            makers[maker](ends);
            assert_int_equal(line_output_write(ends[1], (struct slice){bytes, rows[i].len}),
                             rows[i].want);
            close(ends[1]);
            assert_int_equal(read(ends[0], seen, sizeof(seen)), rows[i].want ? 0 : rows[i].len);
            close(ends[0]);
        }
}

/* Fills it, drops without waiting, and writes again once somebody reads. */
static void test_full(void **state)
{
    static char line[1000], seen[PIPE_BUF];

    (void)state;
    memset(line, 'x', sizeof(line));
    for (size_t maker = 0; maker < ARRAY_LEN(makers); maker++) {
        size_t n_written = 0;
        ssize_t n_read = 0;
        int ends[2];

        makers[maker](ends);
        while (line_output_write(ends[1], (struct slice){line, sizeof(line)}) == 0)
            n_written++;
        assert_in_range(n_written, 10, 1000000);
        assert_int_equal(line_output_write(ends[1], (struct slice){line, sizeof(line)}), -1);
        while (n_read < 2 * PIPE_BUF)
            n_read += read(ends[0], seen, sizeof(seen));
        assert_int_equal(line_output_write(ends[1], (struct slice){line, sizeof(line)}), 0);
        close(ends[0]);
        close(ends[1]);
    }
}

static void test_no_reader(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    for (size_t maker = 0; maker < ARRAY_LEN(makers); maker++) {
        int ends[2];

        makers[maker](ends);
        close(ends[0]);
        assert_int_equal(line_output_write(ends[1], slice_of("line\n")), -1);
        close(ends[1]);
    }
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(line_output_write(-1, slice_of("line\n")), -1);
}

static void test_files(void **state)
{
    char path[] = "/tmp/test_output.XXXXXX", seen[32];
    int fd = mkstemp(path), full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(line_output_write(full, slice_of("line\n")), -1);
    assert_int_equal(line_output_write(fd, slice_of("one\n")), 0);
    assert_int_equal(line_output_write(fd, slice_of("two\n")), 0);
    assert_int_equal(pread(fd, seen, sizeof(seen), 0), 8);
    assert_memory_equal(seen, "one\ntwo\n", 8);
    unlink(path);
    close(full);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_reader),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
