/* SPDX-License-Identifier: MIT */
/* This program is the spawner and the process of each trial too. */
#include "daemon/main/trial_load.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/child/spawner.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/fixture.h"
#include "support/spawned.h"

struct outcome {
    unsigned n;
    enum trial_outcome outcome;
    char reason[512];
};

/* The process of a trial: what it is to load says what is to become of it. */
static int perform(const char *path)
{
    if (strcmp(path, "no-memory") == 0)
        memory_fail();
    if (strcmp(path, "abort") == 0) {
        fputs("free(): invalid pointer\nmore\n", stderr);
        abort();
    }
    if (strcmp(path, "killed") == 0)
        raise(SIGKILL);
    if (strcmp(path, "hang") == 0)
        for (;;)
            pause();
    return trial_load_run(path);
}

static void on_done(void *context, enum trial_outcome outcome, const char *reason)
{
    struct outcome *seen = context;

    seen->n++;
    seen->outcome = outcome;
    snprintf(seen->reason, sizeof(seen->reason), "%s", reason ? reason : "");
}

static int set_up(void **state)
{
    (void)state;
    spawned_begin(&(struct program_commands){0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spawned_end();
    spawned_free();
    return 0;
}

static void test_outcomes(void **state)
{
    static const struct {
        const char *path;
        enum trial_outcome outcome;
        const char *reason;
    } rows[] = {
        {TEST_DATA "/does-not-exist.yaml", TRIAL_PASSED, ""}, /* the load after it says so */
        {"no-memory", TRIAL_FAILED,
         "there is not enough memory to load it beside the one that serves"},
        {"abort", TRIAL_FAILED,
         "the process that loads it for a trial ended with signal 6: free(): invalid pointer"},
        {"killed", TRIAL_FAILED,
         "the process that loads it for a trial was killed, as the kernel does where memory runs "
         "out"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct trial_load *trial = trial_load_new(spawned_spawner, rows[i].path);
        struct outcome seen = {0};

        trial_load_start(trial, on_done, &seen);
        while (seen.n == 0)
            uv_run(&spawned_loop, UV_RUN_ONCE);
        assert_int_equal(seen.outcome, rows[i].outcome);
        assert_string_equal(seen.reason, rows[i].reason);
        trial_load_free(trial);
    }
}

static void test_cancel(void **state)
{
    struct trial_load *trial = trial_load_new(spawned_spawner, "hang");
    struct outcome seen = {0};

    (void)state;
    trial_load_start(trial, on_done, &seen);
    trial_load_cancel(trial);
    trial_load_cancel(trial);
    uv_run(&spawned_loop, UV_RUN_NOWAIT);
    assert_int_equal(seen.n, 0);
    trial_load_free(trial);
}

static void test_without_a_spawner(void **state)
{
    struct trial_load *trial = trial_load_new(spawned_spawner, "hang");
    struct outcome seen = {0};

    (void)state;
    spawner_detach(spawned_spawner);
    trial_load_start(trial, on_done, &seen);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.outcome, TRIAL_NOT_MADE);
    assert_non_null(strstr(seen.reason, "the process that starts others has ended"));
    trial_load_free(trial);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_outcomes),
        WITH_SPAWNER(test_cancel),
        WITH_SPAWNER(test_without_a_spawner),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    if (argc == 3 && strcmp(argv[1], PROGRAM_TRIAL_LOAD) == 0)
        return perform(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
