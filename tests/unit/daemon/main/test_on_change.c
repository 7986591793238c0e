/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/on_change.h"

#include <pthread.h>
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
#include "daemon/confine/privileges.h"
#include "daemon/main/server_stats.h"
#include "daemon/main/state_keeper.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "lib/state/published.h"
#include "support/loaded.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
};

/* Counts its runs, and ends as a file says. */
#define SCRIPT "cat >>\"$0/documents\"; echo >>\"$0/runs\"; exit \"$(cat \"$0/status\")\""

static char directory[64];

struct office {
    _Atomic uint64_t n_failures;
    struct server_stats stats;
    struct config *config;
    struct state_keeper *keeper;
    struct on_change *on_change;
};

static const char *path_of(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void end_with(const char *status)
{
    FILE *out = fopen(path_of("status"), "we");

    assert_non_null(out);
    fputs(status, out);
    fclose(out);
}

static unsigned count_runs(void)
{
    FILE *in = fopen(path_of("runs"), "re");
    unsigned n = 0;

    while (in && getc(in) != EOF)
        n++;
    if (in)
        fclose(in);
    return n;
}

static struct config *config_of(const char *program)
{
    return loaded_config("{policy_host: {name: p.example}, state: %s, %s domains: {a.example: {mx: "
                         "[mx.example]}}}\n",
                         directory, program);
}

static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c", SCRIPT, directory};
    const struct program_commands commands = {.of = {[ON_CHANGE] = {command, ARRAY_LEN(command)}}};

    snprintf(directory, sizeof(directory), "/tmp/on-change-XXXXXX");
    assert_non_null(mkdtemp(directory));
    spawned_begin(&commands);
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {
        LEDGER_FILE, PUBLISHED_FILE, PUBLISHED_NEXT, PUBLISHED_CHANGES,
        "status",    "documents",    "runs"};

    (void)state;
    spawned_free();
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(path_of(files[i]));
    return rmdir(directory);
}

static void office_open(struct office *office, unsigned retry_ms)
{
    static const struct account nobody_else = {.name = "test"};
    const struct on_change_options options = {.loop = &spawned_loop,
                                              .spawner = spawned_spawner,
                                              .config = &office->config,
                                              .stats = &office->stats,
                                              .retry_ms = retry_ms,
                                              .look_ms = NEVER_MS};
    struct on_change_options ready = options;

    *office = (struct office){.config = config_of("on_change: {run: [/bin/sh]},")};
    office->keeper = state_keeper_new(directory, &nobody_else, &clock_system, &office->n_failures);
    assert_non_null(office->keeper);
    ready.keeper = office->keeper;
    office->on_change = on_change_new(&ready);
    assert_non_null(office->on_change);
}

static void office_close(struct office *office)
{
    on_change_stop(office->on_change);
    on_change_look(office->on_change); /* as the scan's thread may, until it ends */
    spawned_end_daemon();
    on_change_free(office->on_change);
    state_keeper_free(office->keeper);
    config_unref(office->config);
}

static void test_accepted(void **state)
{
    struct office office;

    (void)state;
    office_open(&office, NEVER_MS);
    end_with("0");
    on_change_look(office.on_change);
    spawned_wait_for(&office.stats.n_runs_accepted, 1);
    assert_false(office.stats.is_last_run_failed);
    assert_int_equal(access(path_of(PUBLISHED_FILE), F_OK), 0);
    /* There is nothing more to say, until something changes. */
    on_change_look(office.on_change);
    for (int i = 0; i < 10; i++)
        uv_run(&spawned_loop, UV_RUN_NOWAIT), usleep(10 * 1000);
    assert_int_equal(count_runs(), 1);
    state_keeper_mark_fetchable(office.keeper, office.config, &(size_t){0}, 1);
    on_change_look(office.on_change);
    spawned_wait_for(&office.stats.n_runs_accepted, 2);
    office_close(&office);
}

static void test_again_until_accepted(void **state)
{
    struct office office;

    (void)state;
    office_open(&office, 1);
    end_with("1");
    on_change_look(office.on_change);
    spawned_wait_for(&office.stats.n_runs_failed, 3);
    assert_true(office.stats.is_last_run_failed);
    assert_int_not_equal(access(path_of(PUBLISHED_FILE), F_OK), 0);
    end_with("0");
    spawned_wait_for(&office.stats.n_runs_accepted, 1);
    assert_false(office.stats.is_last_run_failed);
    office_close(&office);
}

static void *look_often(void *context)
{
    for (int i = 0; i < 1000; i++)
        on_change_look(context);
    return NULL;
}

/* A look that comes while another one or a run is under way is made after it. */
static void test_many_looks(void **state)
{
    struct office office;
    pthread_t thread;

    (void)state;
    office_open(&office, 1);
    end_with("1");
    assert_int_equal(pthread_create(&thread, NULL, look_often, office.on_change), 0);
    spawned_wait_for(&office.stats.n_runs_failed, 2);
    end_with("0");
    spawned_wait_for(&office.stats.n_runs_accepted, 1);
    pthread_join(thread, NULL);
    assert_int_equal(office.stats.n_runs_accepted, 1);
    office_close(&office);
}

static void test_nothing_to_run(void **state)
{
    struct office office;
    struct config *without = config_of("");
    struct on_change_options options = {.loop = &spawned_loop, .config = &without};

    (void)state;
    assert_null(on_change_new(&options));
    on_change_look(NULL);
    on_change_stop(NULL);
    on_change_free(NULL);
    office_open(&office, 1);
    options.config = &office.config;
    assert_null(on_change_new(&options)); /* no state keeper */
    end_with("0");
    office_close(&office);
    config_unref(without);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_accepted),
        WITH_SPAWNER(test_again_until_accepted),
        WITH_SPAWNER(test_many_looks),
        WITH_SPAWNER(test_nothing_to_run),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
