/* SPDX-License-Identifier: MIT */
/* This program is the spawner too; uacme and mta-stsd-check are scripts. */
#include "daemon/main/acme_orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/acme_home.h"
#include "support/pki.h"
#include "support/spawned.h"

#define A "mta-sts.a.example"
#define B "mta-sts.b.example"
#define C "mta-sts.c.example"

enum {
    LOOK_MS = 20,
};

static struct acme_home home;
static struct config *config;
static struct cert_store *store;
static struct acme_stats stats;
static struct acme_orders *orders;
static _Atomic uint64_t n_installed;

static void on_installed(void *context)
{
    (void)context;
    n_installed++;
}

/* Each writes its name and its hosts into "runs", then does what a file beside says, or is good. */
#define SCRIPT(name)                                               \
    "echo " name " $* >>\"$0/runs\"; if test -f \"$0/" name "\"; " \
    "then . \"$0/" name "\"; else "
#define READY SCRIPT("ready") "for host; do echo $host ready; done; fi"
#define ACCOUNT SCRIPT("account") "exit 0; fi"
#define ORDER                                             \
    SCRIPT("order")                                       \
    "cp \"$0/new.pem\" \"$0/acme/account/$1/cert.pem\"; " \
    "cp other.pem \"$0/acme/account/private/$1/key.pem\"; fi"

static void command(const char *name, const char *script)
{
    FILE *out = fopen(acme_home_path(&home, name), "we");

    assert_non_null(out);
    fputs(script, out);
    fclose(out);
}

static void orders_open(void)
{
    const char *ready[] = {"/bin/sh", "-c", READY, home.directory};
    const char *account[] = {"/bin/sh", "-c", ACCOUNT, home.directory};
    const char *order[] = {"/bin/sh", "-c", ORDER, home.directory};
    const struct program_commands commands = {.of = {[ACME_READY] = {ready, ARRAY_LEN(ready)},
                                                     [ACME_ACCOUNT] = {account, ARRAY_LEN(account)},
                                                     [ACME_ORDER] = {order, ARRAY_LEN(order)}}};
    struct acme_orders_options options = {.commands = home.commands,
                                          .config = &config,
                                          .store = &store,
                                          .clock = &acme_home_clock,
                                          .stats = &stats,
                                          .seed = 1,
                                          .look_ms = LOOK_MS,
                                          .installed = on_installed};

    spawned_begin(&commands);
    options.loop = &spawned_loop;
    options.spawner = spawned_spawner;
    orders = acme_orders_new(&options);
}

static void orders_close(void)
{
    acme_orders_stop(orders);
    acme_orders_look(orders); /* as the thread that looks at certificates may, until it ends */
    spawned_end_daemon();
    acme_orders_free(orders);
    spawned_free();
}

static int set_up(void **state)
{
    (void)state;
    acme_home_now = PKI_NOW_UNIX_S;
    memset(&stats, 0, sizeof(stats));
    n_installed = 0;
    acme_home_open(&home);
    config = home.config;
    pki_write_pair(acme_home_path(&home, "new.pem"), "other.pem", A ",DNS:" B ",DNS:" C, 30);
    store = cert_store_new(config->sources, config->n_sources, 10, &acme_home_clock, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    orders_close();
    cert_store_unref(store);
    acme_home_close(&home);
    return 0;
}

static void see(const char *host)
{
    const struct cert_state nothing = {.certificate = NULL};

    acme_orders_see(orders, host, &nothing);
    acme_orders_look(orders);
}

/* How many runs of a program there were, by the lines that begin so. */
static unsigned count_runs(const char *what)
{
    FILE *in = fopen(acme_home_path(&home, "runs"), "re");
    char line[256];
    unsigned n = 0;

    while (in && fgets(line, sizeof(line), in))
        n += strncmp(line, what, strlen(what)) == 0;
    if (in)
        fclose(in);
    return n;
}

static bool exists(const char *name)
{
    return access(acme_home_path(&home, name), F_OK) == 0;
}

static struct acme_host_info info_of(const char *host)
{
    struct acme_host_info info;

    assert_int_equal(acme_orders_find(orders, host, &info), 0);
    return info;
}

static void wait_for_state(const char *host, enum acme_state wanted)
{
    while (info_of(host).state != wanted)
        uv_run(&spawned_loop, UV_RUN_ONCE);
}

static void turn_for_a_while(void)
{
    for (int i = 0; i < 10; i++)
        uv_run(&spawned_loop, UV_RUN_NOWAIT), usleep(LOOK_MS * 1000 / 2);
}

static void test_all_are_ordered(void **state)
{
    (void)state;
    orders_open();
    see(A);
    see(B);
    see(C);
    spawned_wait_for(&n_installed, 3);
    assert_int_equal(count_runs("account"), 1);
    assert_int_equal(count_runs("order"), 3);
    assert_int_equal(stats.n_ordered, 3);
    assert_int_equal(info_of(C).state, ACME_VALID);
    assert_true(exists("acme/orders"));
}

static void test_one_fails(void **state)
{
    (void)state;
    command("order", "echo '  \"type\": \"urn:ietf:params:acme:error:unauthorized\",'; exit 2");
    orders_open();
    see(A);
    wait_for_state(A, ACME_FAILING);
    assert_string_equal(
        info_of(A).reason,
        "the certificate authority says unauthorized; port 80 of this host has to lead to this "
        "daemon");
    assert_int_equal(stats.n_failed, 1);
    unlink(acme_home_path(&home, "order"));
    see(B); /* no other is held up */
    spawned_wait_for(&n_installed, 1);
    assert_int_equal(info_of(A).state, ACME_FAILING);
    acme_home_now += ACME_BACKOFF_ORDER_S * 5 / 4;
    spawned_wait_for(&n_installed, 2);
    assert_int_equal(info_of(A).state, ACME_VALID);
    assert_string_equal(info_of(A).reason, "");
}

static void test_not_ready(void **state)
{
    (void)state;
    command("ready", "for host; do echo $host waiting no address; done");
    orders_open();
    see(A);
    wait_for_state(A, ACME_WAITING);
    assert_int_equal(count_runs("account") + count_runs("order"), 0);
    unlink(acme_home_path(&home, "ready"));
    acme_orders_set_config(orders);
    spawned_wait_for(&n_installed, 1);
}

/* What the authority says of all: nobody else is tried until the hold is over. */
static void test_limited(void **state)
{
    (void)state;
    command("order", "echo '  \"type\": \"urn:ietf:params:acme:error:rateLimited\",'; exit 2");
    orders_open();
    see(A);
    wait_for_state(A, ACME_FAILING);
    unlink(acme_home_path(&home, "order"));
    see(B);
    turn_for_a_while();
    assert_int_equal(count_runs("order"), 1);
    assert_true(stats.held_until_unix_s > acme_home_now);
    acme_home_now += ACME_HOLD_S * 5 / 4;
    spawned_wait_for(&n_installed, 1);
    assert_int_equal(info_of(B).state, ACME_VALID);
}

/* An account that is gone is made anew, with the same key. */
static void test_account_is_lost(void **state)
{
    (void)state;
    orders_open();
    see(A);
    spawned_wait_for(&n_installed, 1);
    command("order",
            "echo '  \"type\": \"urn:ietf:params:acme:error:accountDoesNotExist\",'; exit 2");
    see(B);
    wait_for_state(B, ACME_FAILING);
    unlink(acme_home_path(&home, "order"));
    acme_home_now += ACME_BACKOFF_ORDER_S * 5 / 4;
    spawned_wait_for(&n_installed, 2);
    assert_int_equal(count_runs("account"), 2);
}

static void test_no_account(void **state)
{
    (void)state;
    command("account", "exit 1");
    orders_open();
    see(A);
    while (stats.held_until_unix_s <= acme_home_now)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_int_equal(info_of(A).state, ACME_MISSING); /* it is nothing of the host's */
    unlink(acme_home_path(&home, "account"));
    acme_home_now += ACME_HOLD_S * 5 / 4;
    spawned_wait_for(&n_installed, 1);
}

/* Where the book cannot be written nothing is tried, and no host pays for it. */
static void test_no_room(void **state)
{
    char book[96];

    (void)state;
    snprintf(book, sizeof(book), "%s", acme_home_path(&home, "acme/orders"));
    assert_int_equal(mkdir(book, 0700), 0);
    orders_open();
    see(A);
    turn_for_a_while();
    assert_int_equal(count_runs("ready"), 0);
    assert_true(stats.held_until_unix_s >= acme_home_now);
    assert_int_equal(info_of(A).state, ACME_MISSING);
    assert_int_equal(rmdir(book), 0);
    spawned_wait_for(&n_installed, 1); /* within LOOK_MS, without a word */
    turn_for_a_while();
    assert_int_equal(stats.held_until_unix_s, 0);
}

/* A key that cannot be made is this machine's fault: the authority is not spared for long. */
static void test_no_account_key(void **state)
{
    char keys[96];

    (void)state;
    orders_open();
    snprintf(keys, sizeof(keys), "%s", acme_home_path(&home, "acme/account/private"));
    assert_int_equal(rmdir(keys), 0);
    see(A);
    for (int i = 0; i < 3; i++) {
        while (stats.held_until_unix_s <= acme_home_now)
            uv_run(&spawned_loop, UV_RUN_ONCE);
        assert_true(stats.held_until_unix_s <= acme_home_now + ACME_HOLD_S * 5 / 4);
        acme_home_now += ACME_HOLD_S * 5 / 4;
        acme_orders_look(orders);
        turn_for_a_while();
    }
    assert_int_equal(mkdir(keys, 0700), 0);
    acme_home_now += ACME_HOLD_S * 5 / 4;
    spawned_wait_for(&n_installed, 1);
}

/* It leaves after it was found ready, and comes back while its certificate is ordered. */
static void test_hosts_that_leave(void **state)
{
    struct config *without = acme_home_config(&home, "b.example: {}", "name: p.example");

    (void)state;
    command("ready", "for host; do echo $host ready; done; "
                     "while ! test -f \"$0/go\"; do sleep 0.01; done");
    command("order", "while ! test -f \"$0/go-on\"; do sleep 0.01; done; exit 1");
    orders_open();
    see(A);
    while (count_runs("ready") == 0)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    config = without;
    acme_orders_set_config(orders);
    command("go", "");
    turn_for_a_while();
    assert_int_equal(count_runs("order"), 0);
    config = home.config;
    acme_orders_set_config(orders);
    see(A);
    while (count_runs("order") == 0)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    config = without;
    acme_orders_set_config(orders);
    config = home.config;
    acme_orders_set_config(orders);
    see(A);
    turn_for_a_while();
    assert_int_equal(count_runs("order"), 1); /* never twice at a time */
    unlink(acme_home_path(&home, "order"));
    command("go-on", "");
    while (stats.n_failed == 0)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    acme_home_now += ACME_BACKOFF_ORDER_S * 5 / 4;
    spawned_wait_for(&n_installed, 1);
    config_unref(without);
}

/* What a killed process has left is gone, and what it has kept is known. */
static void test_after_a_kill(void **state)
{
    static const char *const strays[] = {"challenges/token", "certificates/.new-" A "/key.pem"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        pki_write(acme_home_path(&home, strays[i]), "x", NULL);
    pki_write(acme_home_path(&home, "acme/orders"),
              "# mta-stsd orders 1\nhost " A " failing 3 1800000900 no\n", NULL);
    orders_open();
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        if (exists(strays[i]))
            fail_msg("%s", strays[i]);
    see(A);
    see(B);
    spawned_wait_for(&n_installed, 1);
    assert_int_equal(info_of(A).state, ACME_FAILING);
    assert_string_equal(info_of(A).reason, "no");
}

/* The daemon ends while all is under way; a configuration without orders has none of it. */
static void test_end(void **state)
{
    struct acme_host_info info;

    (void)state;
    command("order", "sleep 100");
    orders_open();
    see(A);
    see(B);
    while (count_runs("order") < 2)
        uv_run(&spawned_loop, UV_RUN_ONCE);
    assert_null(acme_orders_new(&(struct acme_orders_options){.commands = NULL}));
    acme_orders_set_config(NULL);
    acme_orders_see(NULL, A, NULL);
    acme_orders_look(NULL);
    assert_int_equal(acme_orders_find(NULL, A, &info), -1);
    acme_orders_stop(NULL);
    acme_orders_free(NULL);
}

#define WITH_ORDERS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_ORDERS(test_all_are_ordered),
        WITH_ORDERS(test_one_fails),
        WITH_ORDERS(test_not_ready),
        WITH_ORDERS(test_limited),
        WITH_ORDERS(test_account_is_lost),
        WITH_ORDERS(test_no_account),
        WITH_ORDERS(test_no_room),
        WITH_ORDERS(test_no_account_key),
        WITH_ORDERS(test_hosts_that_leave),
        WITH_ORDERS(test_after_a_kill),
        WITH_ORDERS(test_end),
    };
    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    status = cmocka_run_group_tests(tests, pki_enter_directory, pki_leave_directory);
    uv_library_shutdown(); /* what OpenSSL has for each thread of the pool is freed at its end */
    return status;
}
