/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/check_schedule.h"

#include <fcntl.h>
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

#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
    DAY_S = 24 * 60 * 60,
};

/* What the spawner starts in these tests: counts its runs, and ends as a file says. */
#define SCRIPT "echo >>\"$0/runs\"; echo results; exit \"$(cat \"$0/status\")\""

static char directory[64];

struct watch {
    struct config config;
    struct config *serving;
    struct check_schedule *schedule;
    _Atomic uint64_t n_good, n_failed;
    unsigned n_done;
};

static const char *path_of(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static bool file_is(const char *name, const char *text)
{
    char bytes[64] = "";
    FILE *in = fopen(path_of(name), "re");

    if (!in)
        return false;
    bytes[fread(bytes, 1, sizeof(bytes) - 1, in)] = '\0';
    fclose(in);
    return strcmp(bytes, text) == 0;
}

static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c", SCRIPT, directory};
    const struct program_commands commands = {.of = {[CHECK] = {command, ARRAY_LEN(command)}}};

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/check-XXXXXX");
    assert_non_null(mkdtemp(directory));
    spawned_begin(&commands);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {CHECK_RESULTS, "check.json.new", CHECK_METRICS, "status",
                                        "runs"};

    (void)state;
    spawned_free();
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(path_of(files[i]));
    return rmdir(directory);
}

static void count_done(void *context)
{
    struct watch *watch = context;

    watch->n_done++;
}

static void watch_open(struct watch *watch, unsigned retry_ms)
{
    struct check_schedule_options options = {.loop = &spawned_loop,
                                             .spawner = spawned_spawner,
                                             .config = &watch->serving,
                                             .delay_ms = 0,
                                             .retry_ms = retry_ms,
                                             .done = count_done,
                                             .context = watch,
                                             .n_good = &watch->n_good,
                                             .n_failed = &watch->n_failed};

    *watch = (struct watch){.config = {.state = directory, .check_every_s = DAY_S}};
    watch->serving = &watch->config;
    watch->schedule = check_schedule_new(&watch->config, "test.yaml");
    check_schedule_start(watch->schedule, &options);
}

static void watch_close(struct watch *watch)
{
    assert_int_equal(watch->n_done, watch->n_good);
    check_schedule_stop(watch->schedule);
    check_schedule_run_by(watch->schedule, 0); /* nothing begins any more */
    spawned_end_daemon();
    check_schedule_free(watch->schedule);
}

static void turn_for_a_while(void)
{
    for (int i = 0; i < 10; i++) {
        uv_run(&spawned_loop, UV_RUN_NOWAIT);
        usleep(10 * 1000);
    }
}

static void test_command(void **state)
{
    const struct config config = {.state = "/s"}, without = {0};
    struct check_schedule *schedule = check_schedule_new(&config, "a.yaml");
    struct program_command command = check_schedule_command(schedule);

    (void)state;
    assert_string_equal(strrchr(command.texts[0], '/'), "/mta-stsd-check");
    assert_string_equal(command.texts[2], "a.yaml");
    assert_string_equal(command.texts[command.n_texts - 1], "/s/check.metrics");
    assert_string_equal(check_schedule_results(schedule), "/s/check.json");
    check_schedule_free(schedule);
    assert_null(check_schedule_new(&without, "a.yaml"));
    assert_null(check_schedule_new(&config, "-"));
    assert_int_equal(check_schedule_command(NULL).n_texts, 0);
    check_schedule_look(NULL);
    check_schedule_run_by(NULL, 0);
    check_schedule_stop(NULL);
    check_schedule_free(NULL);
}

/* Errors of a domain are results; after them nothing is run until a day is over. */
static void test_results(void **state)
{
    struct watch watch;

    (void)state;
    write_file("status", "1");
    watch_open(&watch, NEVER_MS);
    spawned_wait_for(&watch.n_good, 1);
    assert_true(file_is(CHECK_RESULTS, "results\n"));
    turn_for_a_while();
    assert_true(file_is("runs", "\n"));
    check_schedule_run_by(watch.schedule, clock_system.unix_s(&clock_system) + DAY_S / 2);
    turn_for_a_while();
    assert_true(file_is("runs", "\n"));
    check_schedule_run_by(watch.schedule, 0);
    spawned_wait_for(&watch.n_good, 2);
    watch_close(&watch);
}

static void test_failure(void **state)
{
    struct watch watch;

    (void)state;
    write_file("status", "3");
    write_file(CHECK_RESULTS, "earlier");
    assert_int_equal(utimensat(0, path_of(CHECK_RESULTS), (struct timespec[2]){{0}}, 0), 0);
    watch_open(&watch, 1);
    spawned_wait_for(&watch.n_failed, 2);
    assert_true(file_is(CHECK_RESULTS, "earlier"));
    write_file("status", "0");
    spawned_wait_for(&watch.n_good, 1);
    assert_true(file_is(CHECK_RESULTS, "results\n"));
    watch_close(&watch);
}

/* A check that outlived a killed daemon still has the file open that a killed run has left. */
static void test_left_over(void **state)
{
    struct watch watch;
    int opened;

    (void)state;
    write_file("status", "0");
    write_file("check.json.new", "");
    opened = open(path_of("check.json.new"), O_WRONLY | O_CLOEXEC);
    assert_true(opened >= 0);
    watch_open(&watch, NEVER_MS);
    spawned_wait_for(&watch.n_good, 1);
    assert_int_equal(write(opened, "orphan", 6), 6);
    close(opened);
    assert_true(file_is(CHECK_RESULTS, "results\n"));
    watch_close(&watch);
}

/* A restart does not begin the interval anew; another interval of a reload counts at once. */
static void test_interval(void **state)
{
    struct watch watch;

    (void)state;
    write_file("status", "0");
    write_file(CHECK_RESULTS, "fresh");
    watch_open(&watch, NEVER_MS);
    turn_for_a_while();
    assert_true(file_is(CHECK_RESULTS, "fresh"));
    watch.config.check_every_s = 0;
    check_schedule_look(watch.schedule);
    turn_for_a_while();
    assert_int_equal(watch.n_good, 0);
    assert_int_equal(utimensat(0, path_of(CHECK_RESULTS), (struct timespec[2]){{0}}, 0), 0);
    watch.config.check_every_s = DAY_S;
    check_schedule_look(watch.schedule);
    spawned_wait_for(&watch.n_good, 1);
    watch_close(&watch);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command), WITH_SPAWNER(test_results),  WITH_SPAWNER(test_failure),
        WITH_SPAWNER(test_left_over),   WITH_SPAWNER(test_interval),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
