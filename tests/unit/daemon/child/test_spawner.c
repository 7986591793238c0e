/* SPDX-License-Identifier: MIT */
/* This program is the spawner and its children too: they are started from /proc/self/exe. */
#include "daemon/child/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/spawned.h"

enum {
    PATIENT_MS = 60 * 1000, /* never waited for */
    HASTY_MS = 100,
    N_MANY = 40,
    MEMORY_MAX = 300 * 1024 * 1024,
};

static unsigned n_done;
static struct spawn_end last_end;

/* A child: says what it was given, and ends as it is told to. */
static int perform(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        printf("%s;", argv[i]);
    fflush(stdout);
    if (argc > 3 && strcmp(argv[2], "exit") == 0)
        return atoi(argv[3]);
    if (argc > 3 && strcmp(argv[2], "signal") == 0)
        raise(atoi(argv[3]));
    if (argc > 2 && strcmp(argv[2], "limits") == 0) {
        struct rlimit limit;

        /* The spawner sets it once this program has begun. */
        do
            getrlimit(RLIMIT_AS, &limit);
        while (limit.rlim_cur == RLIM_INFINITY);
        printf("%llu", (unsigned long long)limit.rlim_cur);
        return 0;
    }
    if (argc > 2 && strcmp(argv[2], "hang") == 0) {
        if (fork() >= 0) /* its own child has to go as well */
            for (;;)
                pause();
    }
    return 0;
}

static void on_done(void *context, const struct spawn_end *end)
{
    (void)context;
    last_end = *end;
    n_done++;
}

static int set_up_with(const char *const *on_change, size_t n_on_change)
{
    const struct program_commands commands = {.of = {[ON_CHANGE] = {on_change, n_on_change}}};

    n_done = 0;
    spawned_begin(&commands);
    return 0;
}

static int set_up(void **state)
{
    /* Prints its name, its arguments, what it reads and a part of its environment. */
    static const char *const on_change[] = {
        "/bin/sh", "-c", "echo \"$0;$1;$2;$(cat);$MTA_STSD_TEST\"; exit \"$3\"", "name", "a $b",
    };

    (void)state;
    return set_up_with(on_change, ARRAY_LEN(on_change));
}

static int set_up_bare(void **state)
{
    (void)state;
    return set_up_with(NULL, 0);
}

static int set_up_missing(void **state)
{
    static const char *const on_change[] = {"/mta-stsd-test-never-made"};

    (void)state;
    return set_up_with(on_change, ARRAY_LEN(on_change));
}

static int tear_down(void **state)
{
    (void)state;
    spawned_end();
    spawned_free();
    return 0;
}

static void await_done(unsigned n)
{
    while (n_done < n)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_int_equal(n_done, n);
}

/* Starts a child whose standard output is a pipe, whose end to read is returned. */
static int start_child(const char *const *args, size_t n_args, unsigned timeout_ms,
                       uint64_t memory_max, struct spawned **ret_spawned)
{
    struct err err;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *ret_spawned = spawner_start(spawned_spawner,
                                 &(struct spawn_request){.program = TRIAL_LOAD,
                                                         .args = args,
                                                         .n_args = n_args,
                                                         .fds = {-1, ends[1], -1},
                                                         .timeout_ms = timeout_ms,
                                                         .memory_max = memory_max},
                                 on_done, NULL, &err);
    close(ends[1]);
    assert_non_null(*ret_spawned);
    return ends[0];
}

static void assert_says(int output, const char *wanted)
{
    char text[256];
    size_t len = 0;
    ssize_t n;

    while ((n = read(output, text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(output);
    assert_string_equal(text, wanted);
}

/* The pipe's other end is closed by the last process that has it. */
static void assert_gone(int output)
{
    char byte;

    while (read(output, &byte, 1) > 0)
        continue;
    close(output);
}

static void test_ends(void **state)
{
    static const struct {
        const char *args[2];
        struct spawn_end end;
        const char *output;
    } rows[] = {
        {{"exit", "0"}, {SPAWN_EXITED, 0}, "exit;0;"},
        {{"exit", "7"}, {SPAWN_EXITED, 7}, "exit;7;"},
        {{"signal", "9"}, {SPAWN_SIGNALLED, SIGKILL}, "signal;9;"},
        {{"signal", "15"}, {SPAWN_SIGNALLED, SIGTERM}, "signal;15;"},
        {{"signal", "1"}, {SPAWN_SIGNALLED, SIGHUP}, "signal;1;"},
        {{"a b", ""}, {SPAWN_EXITED, 0}, "a b;;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct spawned *spawned;
        int output = start_child(rows[i].args, 2, PATIENT_MS, 0, &spawned);

        await_done((unsigned)i + 1);
        assert_int_equal(last_end.outcome, rows[i].end.outcome);
        assert_int_equal(last_end.code, rows[i].end.code);
        assert_says(output, rows[i].output);
    }
}

/* The program of the configuration: its own arguments, then those of the run. */
static void test_on_change(void **state)
{
    static const char *const args[] = {"second", "7"};
    struct spawn_request request = {
        .program = ON_CHANGE, .args = args, .n_args = 2, .timeout_ms = PATIENT_MS};
    struct err err;
    int input[2], output[2];

    (void)state;
    assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
    request.fds[0] = input[0];
    request.fds[1] = request.fds[2] = output[1];
    assert_non_null(spawner_start(spawned_spawner, &request, on_done, NULL, &err));
    close(input[0]);
    close(output[1]);
    assert_int_equal(write(input[1], "{}", 2), 2);
    close(input[1]);
    await_done(1);
    assert_int_equal(last_end.outcome, SPAWN_EXITED);
    assert_int_equal(last_end.code, 7);
    assert_says(output[0], "name;a $b;second;{};of the daemon\n");
}

static void test_on_change_that_cannot_be_started(void **state)
{
    const struct spawn_request request = {
        .program = ON_CHANGE, .fds = {-1, -1, -1}, .timeout_ms = PATIENT_MS};
    struct err err;

    (void)state;
    assert_non_null(spawner_start(spawned_spawner, &request, on_done, NULL, &err));
    await_done(1);
    assert_int_equal(last_end.outcome, SPAWN_FAILED);
    assert_int_equal(last_end.code, ENOENT);
}

static void test_many_at_once(void **state)
{
    static const char *const args[] = {"exit", "3"};
    int outputs[N_MANY];
    struct spawned *spawned;

    (void)state;
    for (size_t i = 0; i < N_MANY; i++)
        outputs[i] = start_child(args, 2, PATIENT_MS, 0, &spawned);
    await_done(N_MANY);
    for (size_t i = 0; i < N_MANY; i++)
        assert_says(outputs[i], "exit;3;");
}

static void test_memory_limit(void **state)
{
    static const char *const args[] = {"limits"};
    struct spawned *spawned;
    int output;

    (void)state;
    if (MTA_INSTRUMENTED)
        skip(); /* sanitizers reserve terabytes */
    output = start_child(args, 1, PATIENT_MS, MEMORY_MAX, &spawned);
    await_done(1);
    assert_says(output, "limits;314572800");
}

static void test_deadline(void **state)
{
    static const char *const args[] = {"hang"};
    struct spawned *spawned;
    int output = start_child(args, 1, HASTY_MS, 0, &spawned);

    (void)state;
    await_done(1);
    assert_int_equal(last_end.outcome, SPAWN_TIMED_OUT);
    assert_gone(output);
}

static void test_cancel(void **state)
{
    static const char *const args[] = {"hang"};
    struct spawned *first, *second;
    int outputs[2];
    char text[5];

    (void)state;
    outputs[0] = start_child(args, 1, PATIENT_MS, 0, &first);
    outputs[1] = start_child(args, 1, HASTY_MS, 0, &second);
    assert_int_equal(read(outputs[0], text, sizeof(text)), sizeof(text));
    spawner_cancel(first);
    await_done(1);
    assert_gone(outputs[0]);
    assert_gone(outputs[1]);
}

static void test_end_of_the_daemon(void **state)
{
    static const char *const args[] = {"hang"};
    struct spawned *spawned;
    int output = start_child(args, 1, PATIENT_MS, 0, &spawned);
    char text[5];

    (void)state;
    assert_int_equal(read(output, text, sizeof(text)), sizeof(text));
    spawner_detach(spawned_spawner);
    assert_gone(output);
    assert_int_equal(n_done, 0);
    assert_int_equal(spawned_n_lost, 0);
}

static pid_t find_spawner(void)
{
    char path[64];
    int pid = 0;
    FILE *children;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    children = fopen(path, "re");
    assert_non_null(children);
    while (fscanf(children, "%d", &pid) == 1)
        continue; /* those of the tests before may not be gone yet */
    assert_int_not_equal(pid, 0);
    fclose(children);
    return pid;
}

static void test_spawner_that_is_killed(void **state)
{
    static const char *const args[] = {"hang"};
    struct spawned *spawned;
    struct err err;
    int output = start_child(args, 1, PATIENT_MS, 0, &spawned);

    (void)state;
    kill(find_spawner(), SIGKILL);
    await_done(1);
    assert_int_equal(last_end.outcome, SPAWN_FAILED);
    assert_int_equal(spawned_n_lost, 1);
    close(output);
    assert_null(spawner_start(spawned_spawner, &(struct spawn_request){.fds = {-1, -1, -1}},
                              on_done, NULL, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void test_spawner_that_stands_still(void **state)
{
    static const char *const args[] = {"exit", "0"};
    pid_t pid = find_spawner();
    struct spawned *spawned;
    int output;

    (void)state;
    kill(pid, SIGSTOP);
    output = start_child(args, 2, HASTY_MS, 0, &spawned);
    await_done(1);
    assert_int_equal(last_end.outcome, SPAWN_TIMED_OUT);
    close(output);
    kill(pid, SIGCONT);
    output = start_child(args, 2, PATIENT_MS, 0, &spawned);
    await_done(2);
    assert_int_equal(last_end.outcome, SPAWN_EXITED);
    assert_says(output, "exit;0;");
    assert_int_equal(spawned_n_lost, 0);
}

static void test_too_long_arguments(void **state)
{
    static char text[16 * 1024];
    const char *const long_one[] = {text};
    const char *many[64];
    const struct {
        const char *const *args;
        size_t n_args;
    } rows[] = {{long_one, 1}, {many, ARRAY_LEN(many)}};

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = "x";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        const struct spawn_request request = {
            .args = rows[i].args, .n_args = rows[i].n_args, .fds = {-1, -1, -1}};

        assert_null(spawner_start(spawned_spawner, &request, on_done, NULL, &err));
        assert_int_equal(err.code, ERR_LIMIT);
    }
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_ends),
        WITH_SPAWNER(test_on_change),
        cmocka_unit_test_setup_teardown(test_on_change_that_cannot_be_started, set_up_bare,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_on_change_that_cannot_be_started, set_up_missing,
                                        tear_down),
        WITH_SPAWNER(test_many_at_once),
        WITH_SPAWNER(test_memory_limit),
        WITH_SPAWNER(test_deadline),
        WITH_SPAWNER(test_cancel),
        WITH_SPAWNER(test_end_of_the_daemon),
        WITH_SPAWNER(test_spawner_that_is_killed),
        WITH_SPAWNER(test_spawner_that_stands_still),
        WITH_SPAWNER(test_too_long_arguments),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    if (argc > 1 && strcmp(argv[1], PROGRAM_TRIAL_LOAD) == 0)
        return perform(argc, argv);
    setenv("MTA_STSD_TEST", "of the daemon", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
