/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/report_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
};

/* Counts its runs, and does what a file says. */
#define SCRIPT "echo >>\"$0/runs\"; . \"$0/rest\""

static char directory[64];

struct reading {
    struct report_reader *reader;
    _Atomic uint64_t n_good, n_failed;
    unsigned n_ended;
    bool has_more; /* reports: the count wakes the reader again */
};

static const char *path_of(const char *name)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void go_on_with(const char *rest)
{
    FILE *out = fopen(path_of("rest"), "we");

    assert_non_null(out);
    fputs(rest, out);
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

static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c", SCRIPT, directory};
    const struct program_commands commands = {.of = {[REPORTS] = {command, ARRAY_LEN(command)}}};

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/report-reader-XXXXXX");
    assert_non_null(mkdtemp(directory));
    spawned_begin(&commands);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spawned_free();
    unlink(path_of("rest"));
    unlink(path_of("runs"));
    return rmdir(directory);
}

static void on_ended(void *context)
{
    struct reading *reading = context;

    reading->n_ended++;
    if (reading->has_more)
        report_reader_wake(reading->reader);
}

static void reading_open(struct reading *reading, unsigned pause_ms, unsigned retry_ms)
{
    const struct report_reader_options options = {.loop = &spawned_loop,
                                                  .spawner = spawned_spawner,
                                                  .program = "/usr/bin/mta-stsd-reports",
                                                  .pause_ms = pause_ms,
                                                  .retry_ms = retry_ms,
                                                  .on_ended = on_ended,
                                                  .context = reading,
                                                  .n_good = &reading->n_good,
                                                  .n_failed = &reading->n_failed};

    *reading = (struct reading){.has_more = false};
    reading->reader = report_reader_new(&options);
}

static void reading_close(struct reading *reading)
{
    report_reader_stop(reading->reader);
    report_reader_wake(reading->reader); /* as the writer's thread may, until it ends */
    spawned_end_daemon();
    report_reader_free(reading->reader);
}

/* One run for all that comes until the pause after it is over. */
static void test_good(void **state)
{
    struct reading reading;

    (void)state;
    reading_open(&reading, 50, NEVER_MS);
    go_on_with("exit 0");
    for (int i = 0; i < 5; i++)
        report_reader_wake(reading.reader);
    spawned_wait_for(&reading.n_good, 1);
    report_reader_wake(reading.reader);
    while (reading.n_ended < 1)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_int_equal(count_runs(), 1);
    reading.has_more = true;
    report_reader_wake(reading.reader);
    spawned_wait_for(&reading.n_good, 3);
    assert_int_equal(reading.n_failed, 0);
    reading_close(&reading);
}

static void test_again_until_good(void **state)
{
    struct reading reading;

    (void)state;
    reading_open(&reading, 1, 1);
    reading.has_more = true;
    go_on_with("exit 1");
    report_reader_wake(reading.reader);
    spawned_wait_for(&reading.n_failed, 3);
    assert_int_equal(reading.n_good, 0);
    go_on_with("exit 0");
    spawned_wait_for(&reading.n_good, 1);
    reading_close(&reading);
}

/* After a failure nothing wakes the program before its time. */
static void test_patience(void **state)
{
    struct reading reading;

    (void)state;
    reading_open(&reading, 1, NEVER_MS);
    go_on_with("exit 1");
    report_reader_wake(reading.reader);
    spawned_wait_for(&reading.n_failed, 1);
    report_reader_wake(reading.reader);
    for (int i = 0; i < 10; i++)
        uv_run(&spawned_loop, UV_RUN_NOWAIT), usleep(5 * 1000);
    assert_int_equal(count_runs(), 1);
    reading_close(&reading);
}

/* The daemon ends while the program runs. */
static void test_end(void **state)
{
    struct reading reading;

    (void)state;
    reading_open(&reading, 1, 1);
    go_on_with("sleep 100");
    report_reader_wake(reading.reader);
    uv_run(&spawned_loop, UV_RUN_ONCE);
    reading_close(&reading);
    report_reader_wake(NULL);
    report_reader_stop(NULL);
    report_reader_free(NULL);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_SPAWNER(test_good),
        WITH_SPAWNER(test_again_until_good),
        WITH_SPAWNER(test_patience),
        WITH_SPAWNER(test_end),
    };

    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
