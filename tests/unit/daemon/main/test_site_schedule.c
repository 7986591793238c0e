/* SPDX-License-Identifier: MIT */
/* This program is the spawner too. */
#include "daemon/main/site_schedule.h"

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

#include "daemon/http/status_handler.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/spawned.h"

enum {
    NEVER_MS = 3600 * 1000,
};

/* What the spawner starts in these tests: ends as a file says. */
#define SCRIPT "exit \"$(cat \"$0\")\""

static char status_path[] = "/tmp/site-XXXXXX";

static const struct listen_address admin;
static const struct config serving = {.state = "/s", .admin = &admin};
static _Atomic uint64_t n_good, n_failed;
static _Atomic int64_t written_unix_s;

static int64_t now_is_7(const struct clock *clock)
{
    (void)clock;
    return 7;
}

static const struct clock clock_at_7 = {.unix_s = now_is_7};

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
    n_good = n_failed = 0;
    written_unix_s = 0;
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

static struct site_schedule *schedule_open(unsigned delay_ms, unsigned every_ms)
{
    const struct site_schedule_options options = {.loop = &spawned_loop,
                                                  .spawner = spawned_spawner,
                                                  .delay_ms = delay_ms,
                                                  .every_ms = every_ms,
                                                  .clock = &clock_at_7,
                                                  .n_good = &n_good,
                                                  .n_failed = &n_failed,
                                                  .written_unix_s = &written_unix_s};
    struct site_schedule *schedule = site_schedule_new(&serving, "a.yaml");

    site_schedule_start(schedule, &options);
    return schedule;
}

static void schedule_close(struct site_schedule *schedule)
{
    site_schedule_stop(schedule);
    spawned_end_daemon();
    site_schedule_free(schedule);
}

static void test_command(void **state)
{
    const struct config no_state = {.admin = &admin}, no_admin = {.state = "/s"};
    struct site_schedule *schedule = site_schedule_new(&serving, "a.yaml");
    struct program_command command = site_schedule_command(schedule);

    (void)state;
    assert_int_equal(command.n_texts, 5);
    assert_string_equal(strrchr(command.texts[0], '/'), "/mta-stsd-reports");
    assert_string_equal(command.texts[2], "a.yaml");
    assert_string_equal(command.texts[3], "--site");
    assert_string_equal(command.texts[4], "/s/" STATUS_FOLDER);
    site_schedule_look(schedule); /* it was not started */
    site_schedule_stop(schedule);
    site_schedule_free(schedule);
    assert_null(site_schedule_new(&no_state, "a.yaml"));
    assert_null(site_schedule_new(&no_admin, "a.yaml"));
    assert_null(site_schedule_new(&serving, "-"));
    assert_int_equal(site_schedule_command(NULL).n_texts, 0);
    site_schedule_look(NULL);
    site_schedule_stop(NULL);
    site_schedule_free(NULL);
}

/* Again and again, and after a failure too. */
static void test_interval(void **state)
{
    struct site_schedule *schedule;

    (void)state;
    write_status("3");
    schedule = schedule_open(0, 1);
    spawned_wait_for(&n_failed, 1);
    assert_int_equal(written_unix_s, 0);
    write_status("0");
    spawned_wait_for(&n_good, 3);
    assert_int_equal(written_unix_s, 7);
    write_status("3");
    spawned_wait_for(&n_failed, n_failed + 2);
    write_status("0");
    spawned_wait_for(&n_good, n_good + 2);
    schedule_close(schedule);
}

/* A reload has it written before the hour is over, also one that comes during a run. */
static void test_reload(void **state)
{
    struct site_schedule *schedule;

    (void)state;
    write_status("0");
    schedule = schedule_open(0, NEVER_MS);
    spawned_wait_for(&n_good, 1);
    site_schedule_look(schedule);
    spawned_wait_for(&n_good, 2);
    site_schedule_look(schedule);
    uv_run(&spawned_loop, UV_RUN_ONCE); /* the timer: the run begins */
    site_schedule_look(schedule);
    spawned_wait_for(&n_good, 4);
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
