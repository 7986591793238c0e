/* SPDX-License-Identifier: MIT */
#include "daemon/main/state_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/confine/privileges.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "support/loaded.h"

static const struct account nobody_else = {.name = "test"};
static _Atomic uint64_t n_failures;

struct shelf {
    char directory[64], state[80]; /* a directory, and one in it that does not exist yet */
    struct state_keeper *keeper;
};

static struct shelf *shelf_open(void)
{
    static struct shelf shelf;

    snprintf(shelf.directory, sizeof(shelf.directory), "/tmp/keeper-XXXXXX");
    assert_non_null(mkdtemp(shelf.directory));
    snprintf(shelf.state, sizeof(shelf.state), "%s/state", shelf.directory);
    n_failures = 0;
    shelf.keeper = state_keeper_new(shelf.state, &nobody_else, &clock_system, &n_failures);
    assert_non_null(shelf.keeper);
    return &shelf;
}

static void shelf_close(struct shelf *shelf)
{
    char path[96];

    state_keeper_free(shelf->keeper);
    snprintf(path, sizeof(path), "%s/" LEDGER_FILE, shelf->state);
    unlink(path);
    rmdir(shelf->state);
    assert_int_equal(rmdir(shelf->directory), 0);
}

static struct config *config_of(const char *domain)
{
    return loaded_config("domains: {%s: {mx: [mx.example]}}\n", domain);
}

static bool is_served(const struct shelf *shelf, const char *domain)
{
    const struct ledger_domain *known;
    struct ledger *ledger;
    struct err err;
    bool is_open;

    assert_int_equal(ledger_read(shelf->state, NULL, &ledger, &err), 0);
    known = ledger_find(ledger, slice_of(domain));
    is_open = known && known->latest && known->latest->until_unix_s == 0;
    ledger_free(ledger);
    return is_open;
}

static void loop_end(uv_loop_t *loop)
{
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void test_start(void **state)
{
    struct shelf *shelf = shelf_open();
    struct config *config = config_of("a.example");
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    state_keeper_begin(shelf->keeper, &loop, config);
    loop_end(&loop);
    assert_true(is_served(shelf, "a.example"));
    config_unref(config);
    shelf_close(shelf);
}

/* The job of the start may run after a reload has recorded what serves by then. */
static void test_late_start(void **state)
{
    struct shelf *shelf = shelf_open();
    struct config *first = config_of("a.example"), *second = config_of("b.example");
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    state_keeper_record(shelf->keeper, second);
    state_keeper_begin(shelf->keeper, &loop, first);
    loop_end(&loop);
    assert_true(is_served(shelf, "b.example"));
    assert_false(is_served(shelf, "a.example"));
    state_keeper_record(shelf->keeper, first);
    assert_true(is_served(shelf, "a.example"));
    config_unref(first);
    config_unref(second);
    shelf_close(shelf);
}

/* Without `state:`, and without a directory that can be made, everything goes on. */
static void test_no_keeper(void **state)
{
    struct config *config = config_of("a.example");
    const size_t domain = 0;

    (void)state;
    n_failures = 0;
    assert_null(state_keeper_new(NULL, &nobody_else, &clock_system, &n_failures));
    assert_int_equal(n_failures, 0);
    assert_null(state_keeper_new("/nowhere/state", &nobody_else, &clock_system, &n_failures));
    assert_int_equal(n_failures, 1);
    state_keeper_begin(NULL, NULL, config);
    state_keeper_record(NULL, config);
    state_keeper_mark_fetchable(NULL, config, &domain, 1);
    state_keeper_free(NULL);
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_late_start),
        cmocka_unit_test(test_no_keeper),
    };
    int result = cmocka_run_group_tests(tests, NULL, NULL);

    uv_library_shutdown();
    return result;
}
