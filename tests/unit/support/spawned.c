/* SPDX-License-Identifier: MIT */
#include "support/spawned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/child/spawner_process.h"
#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/config/config.h"

struct spawner *spawned_spawner;
uv_loop_t spawned_loop;
unsigned spawned_n_lost;

bool spawned_is_spawner(int argc, char **argv, int *ret_status)
{
    if (argc < 2 || strcmp(argv[1], PROGRAM_SPAWNER) != 0)
        return false;
    *ret_status = spawner_process_run((const char *const *)argv + 2, (size_t)argc - 2);
    return true;
}

static void on_lost(void *context)
{
    (void)context;
    spawned_n_lost++;
}

void spawned_begin(const struct program_commands *commands)
{
    struct account account;
    struct err err;

    spawned_n_lost = 0;
    assert_int_equal(account_find(&(struct config){.user = "root"}, &account, &err), 0);
    assert_int_equal(spawner_new(&account, commands, &spawned_spawner, &err), 0);
    assert_int_equal(uv_loop_init(&spawned_loop), 0);
    spawner_attach(spawned_spawner, &spawned_loop, on_lost, NULL);
}

void spawned_wait_for(const _Atomic uint64_t *count, uint64_t at_least)
{
    while (atomic_load(count) < at_least)
        uv_run(&spawned_loop, UV_RUN_ONCE);
}

void spawned_end(void)
{
    spawner_detach(spawned_spawner);
    uv_run(&spawned_loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&spawned_loop), 0);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void spawned_end_daemon(void)
{
    spawner_detach(spawned_spawner);
    uv_walk(&spawned_loop, close_handle, NULL);
    uv_run(&spawned_loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&spawned_loop), 0);
}

void spawned_free(void)
{
    spawner_free(spawned_spawner);
}
