/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_book_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/main/acme_hosts.h"
#include "support/acme_home.h"

#define A "mta-sts.a.example"

static struct acme_home home;
static struct acme_stats stats;
static struct acme_hosts *hosts;
static struct acme_book_file *file;
static uv_loop_t loop;
static unsigned n_written;

static void on_written(void *context)
{
    (void)context;
    n_written++;
}

static struct acme_hosts *hosts_new(void)
{
    const struct acme_hosts_options options = {
        .commands = home.commands, .clock = &acme_home_clock, .stats = &stats, .seed = 1};

    return acme_hosts_new(&options, home.config);
}

static int set_up(void **state)
{
    static char path[96];
    struct acme_book_file_options options = {.loop = &loop, .path = path, .written = on_written};

    (void)state;
    n_written = 0;
    acme_home_open(&home);
    snprintf(path, sizeof(path), "%s", acme_home_path(&home, "acme/orders"));
    assert_int_equal(uv_loop_init(&loop), 0);
    hosts = options.hosts = hosts_new();
    file = acme_book_file_new(&options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    acme_book_file_stop(file);
    acme_book_file_save(file);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    acme_book_file_free(file);
    acme_book_file_free(NULL);
    acme_hosts_free(hosts);
    acme_home_close(&home);
    return 0;
}

static void save(void)
{
    acme_book_file_save(file);
    acme_book_file_save(file); /* one is enough */
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_written_and_read(void **state)
{
    struct acme_host_info info;

    (void)state;
    assert_false(acme_book_file_is_good(file));
    save();
    assert_true(acme_book_file_is_good(file));
    assert_int_equal(n_written, 1);
    save();
    assert_int_equal(n_written, 1); /* nothing has changed */
    acme_hosts_fail(hosts, A, ACME_REFUSED, "no", 0);
    acme_book_file_change(file);
    acme_book_file_save(file);
    acme_book_file_change(file); /* while it is written */
    uv_run(&loop, UV_RUN_DEFAULT);
    save();
    assert_int_equal(n_written, 3);
    acme_hosts_free(hosts);
    hosts = hosts_new();
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_MISSING);
    acme_book_file_free(file);
    file = acme_book_file_new(
        &(struct acme_book_file_options){.loop = &loop,
                                         .path = acme_home_path(&home, "acme/orders"),
                                         .hosts = hosts,
                                         .written = on_written});
    acme_book_file_read(file);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_FAILING);
    assert_string_equal(info.reason, "no");
}

static void test_no_room(void **state)
{
    char path[96], elsewhere[128];

    (void)state;
    snprintf(path, sizeof(path), "%s", acme_home_path(&home, "acme"));
    snprintf(elsewhere, sizeof(elsewhere), "%s-not", path);
    save();
    assert_int_equal(rename(path, elsewhere), 0);
    save();
    assert_true(acme_book_file_is_good(file)); /* nothing was written, so nothing has failed */
    acme_book_file_change(file);
    save();
    save();
    assert_false(acme_book_file_is_good(file));
    assert_int_equal(n_written, 1);
    assert_int_equal(rename(elsewhere, path), 0);
    save(); /* without a change too */
    assert_true(acme_book_file_is_good(file));
    assert_int_equal(n_written, 2);
}

static void test_unreadable(void **state)
{
    struct acme_host_info info;

    (void)state;
    acme_book_file_read(file); /* there is none */
    assert_int_equal(mkdir(acme_home_path(&home, "acme/orders"), 0700), 0);
    acme_book_file_read(file);
    assert_int_equal(acme_hosts_find(hosts, A, &info), 0);
    assert_int_equal(info.state, ACME_MISSING);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(test_written_and_read),
        WITH_FILE(test_no_room),
        WITH_FILE(test_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
