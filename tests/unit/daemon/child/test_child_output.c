/* SPDX-License-Identifier: MIT */
#include "daemon/child/child_output.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/fixture.h"

#define LOG "mta-stsd: info: on_change: "
#define X_10 "xxxxxxxxxx"
#define X_100 X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10 X_10
#define X_1000 X_100 X_100 X_100 X_100 X_100 X_100 X_100 X_100 X_100 X_100

static uv_loop_t loop;
static char log_path[] = "/tmp/mta-stsd.XXXXXX";
static int own_stderr;

static int set_up(void **state)
{
    int file = mkstemp(log_path);

    (void)state;
    assert_true(file >= 0);
    own_stderr = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
    return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    dup2(own_stderr, STDERR_FILENO);
    close(own_stderr);
    unlink(log_path);
    strcpy(log_path, "/tmp/mta-stsd.XXXXXX");
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static const char *read_log(void)
{
    static char text[64 * 1024];
    FILE *file = fopen(log_path, "re");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct child_output *start_output(void)
{
    struct err err;
    struct child_output *output = child_output_new(&loop, "on_change", &err);

    assert_non_null(output);
    return output;
}

static pid_t start_shell(const struct child_output *output, const char *script)
{
    pid_t child = fork();

    if (child == 0) {
        setpgid(0, 0);
        dup2(child_output_fd(output), STDOUT_FILENO);
        dup2(child_output_fd(output), STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    return child;
}

static bool has_ended(pid_t child)
{
    return waitpid(child, NULL, WNOHANG) == child;
}

static void test_lines(void **state)
{
    static const struct {
        const char *script, *log, *last;
    } rows[] = {
        {"exit 0", "", ""},
        {"echo; echo", "", ""},
        {"echo a", LOG "a\n", "a"},
        {"printf a", LOG "a\n", "a"},
        {"echo a; echo b >&2; printf 'c\\r\\n\\n'", LOG "a\n" LOG "b\n" LOG "c\n", "c"},
        {"printf 'a\\033[1m\\000b\\tc\\377\\n'", LOG "a\\x1b[1m\\x00b c\\xff\n",
         "a\\x1b[1m\\x00b c\\xff"},
        {"printf '%s\\n' " X_1000, LOG X_1000 "\n", X_1000},
        {"printf '%s\\n' " X_1000 "x y; echo z", LOG X_1000 "...\n" LOG "y\n" LOG "z\n", "z"},
        {"for i in $(seq 20); do echo; done; seq 1", LOG "1\n", "1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct child_output *output;
        pid_t child;

        assert_int_equal(truncate(log_path, 0), 0);
        lseek(STDERR_FILENO, 0, SEEK_SET);
        output = start_output();
        child = start_shell(output, rows[i].script);
        assert_int_equal(waitpid(child, NULL, 0), child);
        child_output_finish(output);
        if (!fixture_equal(rows[i].script, rows[i].log, read_log()) ||
            strcmp(child_output_last_line(output), rows[i].last) != 0)
            fail_msg("row %zu: the last line is '%s'", i, child_output_last_line(output));
        child_output_free(output);
    }
}

struct watched {
    char lines[64];
};

static bool take_line(void *context, const char *line)
{
    struct watched *watched = context;

    strcat(strcat(watched->lines, line), ";");
    return strcmp(line, "a") != 0;
}

static void test_watched_lines(void **state)
{
    struct watched watched = {""};
    struct child_output *output;
    pid_t child;

    (void)state;
    assert_int_equal(truncate(log_path, 0), 0);
    lseek(STDERR_FILENO, 0, SEEK_SET);
    output = start_output();
    child_output_watch(output, take_line, &watched);
    child = start_shell(output, "echo a; echo b; printf '\\033c'");
    assert_int_equal(waitpid(child, NULL, 0), child);
    child_output_finish(output);
    assert_string_equal(watched.lines, "a;b;\\x1bc;");
    assert_string_equal(read_log(), LOG "b\n" LOG "\\x1bc\n");
    assert_string_equal(child_output_last_line(output), "\\x1bc");
    child_output_free(output);
}

static void test_many_lines(void **state)
{
    static const struct {
        const char *script, *end, *last;
    } rows[] = {
        {"seq 20", LOG "20\n", "20"},
        {"seq 21", LOG "20\n" LOG "1 more line is not logged\n", "21"},
        {"seq 22", LOG "20\n" LOG "2 more lines are not logged\n", "22"},
        /* More than a pipe holds: the child ends only because the loop reads. */
        {"seq 100000", LOG "20\n" LOG "99980 more lines are not logged\n", "100000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct child_output *output = start_output();
        pid_t child = start_shell(output, rows[i].script);

        while (!has_ended(child))
            uv_run(&loop, UV_RUN_NOWAIT);
        child_output_finish(output);
        if (!slice_ends_with(slice_of(read_log()), rows[i].end) ||
            strcmp(child_output_last_line(output), rows[i].last) != 0)
            fail_msg("row %zu: %s", i, read_log());
        child_output_free(output);
    }
}

/* What is printed while the child runs is logged then. */
static void test_before_the_end(void **state)
{
    struct child_output *output = start_output();
    pid_t child = start_shell(output, "echo begun; exec sleep 600");

    (void)state;
    while (read_log()[0] == '\0')
        uv_run(&loop, UV_RUN_ONCE);
    assert_string_equal(read_log(), LOG "begun\n");
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    child_output_free(output);
}

/* A child of the child has the pipe still, silent or printing without an end. */
static void test_grandchild(void **state)
{
    static const char *const scripts[] = {"sleep 600 & echo last", "yes last &"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct child_output *output = start_output();
        pid_t child = start_shell(output, scripts[i]);
        siginfo_t end;

        /* Not reaped yet, so that the number of its group stays its own. */
        assert_int_equal(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
        while (child_output_last_line(output)[0] == '\0')
            uv_run(&loop, UV_RUN_ONCE);
        child_output_finish(output);
        kill(-child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_non_null(strstr(read_log(), LOG "last\n"));
        child_output_free(output);
    }
}

#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOG(test_lines),          WITH_LOG(test_watched_lines), WITH_LOG(test_many_lines),
        WITH_LOG(test_before_the_end), WITH_LOG(test_grandchild),
    };

    child_output_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
