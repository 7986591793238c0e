/* SPDX-License-Identifier: MIT */
#include "daemon/main/acme_sweeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/acme/acme_sweep.h"
#include "lib/config/config.h"
#include "support/acme_home.h"

#define HOST "certificates/mta-sts.b.example"

static void test_looks(void **state)
{
    struct acme_home home;
    struct acme_sweeper *sweeper;
    struct config *config, *without;
    uv_loop_t loop;

    (void)state;
    acme_home_open(&home);
    config = home.config;
    without = acme_home_config(&home, "a.example: {}, c.example: {}", "name: p.example");
    assert_int_equal(mkdir(acme_home_path(&home, HOST), 0755), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    sweeper = acme_sweeper_new(&(struct acme_sweeper_options){
        .loop = &loop, .commands = home.commands, .config = &config, .clock = &acme_home_clock});
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT), usleep(2000);
    assert_int_not_equal(access(acme_home_path(&home, HOST "/" ACME_SWEEP_MARK), F_OK), 0);
    config = without;
    acme_sweeper_look(sweeper);
    acme_sweeper_look(sweeper);
    while (access(acme_home_path(&home, HOST "/" ACME_SWEEP_MARK), F_OK) != 0)
        uv_run(&loop, UV_RUN_NOWAIT);
    acme_home_now += ACME_SWEEP_KEPT_S;
    while (access(acme_home_path(&home, HOST), F_OK) == 0) {
        acme_sweeper_look(sweeper);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    acme_sweeper_stop(sweeper);
    acme_sweeper_look(sweeper);
    uv_walk(&loop, (uv_walk_cb)uv_close, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    acme_sweeper_free(sweeper);
    acme_sweeper_free(NULL);
    config_unref(without);
    acme_home_close(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_looks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
