/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/child/child_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/child/spawner.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/spawned.h"

struct ending {
    unsigned n;
    struct spawn_end end;
    char reason[1024];
};

/* The program is a shell, and the arguments of a run are what it does. */
static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c"};
    const struct program_commands commands = {.of = {[ON_CHANGE] = {command, ARRAY_LEN(command)}}};

    (void)state;
    spawned_begin(&commands);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spawned_end();
    spawned_free();
    return 0;
}

static struct child_run *make_run(void)
{
    return child_run_new(&(struct child_run_options){
        .loop = &spawned_loop, .spawner = spawned_spawner, .prefix = "test", .program = "/bin/sh"});
}

static void on_done(void *context, const struct spawn_end *end, const char *reason)
{
    struct ending *ending = context;

    ending->n++;
    ending->end = *end;
    snprintf(ending->reason, sizeof(ending->reason), "%s", reason);
}

static void begin(struct child_run *run, const char *script, int out, struct ending *ending)
{
    const struct spawn_request request = {.program = ON_CHANGE,
                                          .args = &script,
                                          .n_args = 1,
                                          .fds = {-1, out, -1},
                                          .timeout_ms = 1000};
    struct err err;

    *ending = (struct ending){0};
    assert_int_equal(child_run_start(run, &request, on_done, ending, &err), 0);
    assert_true(child_run_is_under_way(run));
}

static void test_ends(void **state)
{
    static const struct {
        const char *script;
        enum spawn_outcome outcome;
        int code;
        const char *reason;
    } rows[] = {
        {"exit 0", SPAWN_EXITED, 0, "'/bin/sh' ended with status 0"},
        {"echo one; echo two >&2; exit 3", SPAWN_EXITED, 3, "'/bin/sh' ended with status 3: two"},
        {"kill -9 $$", SPAWN_SIGNALLED, 9, "'/bin/sh' was ended by signal 9"},
        {"sleep 1000", SPAWN_TIMED_OUT, 0, "'/bin/sh' was ended after 1 second"},
    };
    struct child_run *run = make_run();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ending ending;

        begin(run, rows[i].script, -1, &ending);
        while (ending.n == 0)
            uv_run(&spawned_loop, UV_RUN_ONCE);
        assert_false(child_run_is_under_way(run));
        assert_int_equal(ending.end.outcome, rows[i].outcome);
        assert_int_equal(ending.end.code, rows[i].code);
        assert_string_equal(ending.reason, rows[i].reason);
    }
    child_run_free(run);
}

/* A standard output of the caller's is left alone. */
static void test_own_output(void **state)
{
    struct child_run *run = make_run();
    struct ending ending;
    char text[8] = "";
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    begin(run, "echo hello; echo there >&2; exit 1", ends[1], &ending);
    while (ending.n == 0)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 6);
    assert_string_equal(text, "hello\n");
    assert_string_equal(ending.reason, "'/bin/sh' ended with status 1: there");
    close(ends[0]);
    close(ends[1]);
    child_run_free(run);
}

static void test_stop(void **state)
{
    struct child_run *run = make_run();
    struct ending ending;

    (void)state;
    begin(run, "sleep 1000", -1, &ending);
    child_run_stop(run);
    assert_false(child_run_is_under_way(run));
    spawner_detach(spawned_spawner);
    uv_run(&spawned_loop, UV_RUN_DEFAULT);
    assert_int_equal(ending.n, 0);
    child_run_free(run);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_ends),
        WITH_SPAWNER(test_own_output),
        WITH_SPAWNER(test_stop),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
