/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/child_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
};

/* What the spawner starts in these tests: ends as a file says. */
#define SCRIPT "exit \"$(cat \"$0\")\""

static char status_path[] = "/tmp/site-XXXXXX";

static const char *const arguments[] = {"--site", "/s"};
static const struct child_schedule_task task = {.program = SITE,
                                                .prefix = "site",
                                                .what_stays = "the earlier pages",
                                                .name = "mta-stsd-reports",
                                                .arguments = arguments,
                                                .n_arguments = ARRAY_LEN(arguments),
                                                .timeout_ms = NEVER_MS};
static _Atomic uint64_t n_good, n_failed;
static unsigned n_done;

static void write_status(const char *text)
{
    FILE *out = fopen(status_path, "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int set_up(void **state)
{
    static const char *command[] = {"/bin/sh", "-c", SCRIPT, status_path};
    const struct program_commands commands = {.of = {[SITE] = {command, ARRAY_LEN(command)}}};

    (void)state;
    n_good = n_failed = n_done = 0;
    strcpy(status_path + strlen(status_path) - 6, "XXXXXX");
    close(mkstemp(status_path));
    spawned_begin(&commands);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spawned_free();
    return unlink(status_path);
}

static void count_done(void *context)
{
    (void)context;
    n_done++;
}

static struct child_schedule *schedule_open(unsigned delay_ms, unsigned every_ms)
{
    const struct child_schedule_options options = {.loop = &spawned_loop,
                                                   .spawner = spawned_spawner,
                                                   .delay_ms = delay_ms,
                                                   .every_ms = every_ms,
                                                   .done = count_done,
                                                   .n_good = &n_good,
                                                   .n_failed = &n_failed};
    struct child_schedule *schedule = child_schedule_new(&task);

    child_schedule_start(schedule, &options);
    return schedule;
}

static void schedule_close(struct child_schedule *schedule)
{
    child_schedule_stop(schedule);
    spawned_end_daemon();
    child_schedule_free(schedule);
}

static void test_command(void **state)
{
    struct child_schedule *schedule = child_schedule_new(&task);
    struct program_command command = child_schedule_command(schedule);

    (void)state;
    assert_int_equal(command.n_texts, 3);
    assert_string_equal(strrchr(command.texts[0], '/'), "/mta-stsd-reports");
    assert_string_equal(command.texts[1], "--site");
    assert_string_equal(command.texts[2], "/s");
    child_schedule_look(schedule, 0); /* it was not started */
    child_schedule_stop(schedule);
    child_schedule_free(schedule);
    assert_int_equal(child_schedule_command(NULL).n_texts, 0);
    child_schedule_look(NULL, 0);
    child_schedule_stop(NULL);
    child_schedule_free(NULL);
}

/* Again and again, and after a failure too. */
static void test_interval(void **state)
{
    struct child_schedule *schedule;

    (void)state;
    write_status("0");
    schedule = schedule_open(0, 1);
    spawned_wait_for(&n_good, 3);
    write_status("3");
    spawned_wait_for(&n_failed, 2);
    write_status("0");
    spawned_wait_for(&n_good, n_good + 2);
    assert_int_equal(n_done, n_good);
    schedule_close(schedule);
}

/* A reload has it written before the hour is over, also one that comes during a run. */
static void test_reload(void **state)
{
    struct child_schedule *schedule;

    (void)state;
    write_status("0");
    schedule = schedule_open(0, NEVER_MS);
    spawned_wait_for(&n_good, 1);
    child_schedule_look(schedule, 0);
    spawned_wait_for(&n_good, 2);
    child_schedule_look(schedule, 0);
    uv_run(&spawned_loop, UV_RUN_ONCE); /* the timer: the run begins */
    child_schedule_look(schedule, 0);
    spawned_wait_for(&n_good, 4);
    child_schedule_look(schedule, 1);
    child_schedule_look(schedule, NEVER_MS); /* does not put off what is due earlier */
    spawned_wait_for(&n_good, 5);
    schedule_close(schedule);
}

#define WITH_SPAWNER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command),
        WITH_SPAWNER(test_interval),
        WITH_SPAWNER(test_reload),
    };
    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
