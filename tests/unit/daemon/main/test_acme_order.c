/* SPDX-License-Identifier: MIT */
/* This program is the spawner too; uacme is a script. */
#include "daemon/main/acme_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/acme_home.h"
#include "support/pki.h"
#include "support/spawned.h"

#define HOST "mta-sts.a.example"

static struct acme_home home;
static struct cert_store *store;
static struct acme_order *order;
static _Atomic uint64_t n_ends;
static enum acme_outcome outcome;
static unsigned timeout_ms = ACME_ORDER_TIMEOUT_MS;
static bool is_kept;
static char host[64], reason[ACME_REASON_MAX];

static void on_end(void *context, const struct acme_order_end *end)
{
    (void)context;
    n_ends++;
    outcome = end->outcome;
    is_kept = end->is_kept;
    snprintf(host, sizeof(host), "%s", end->host ? end->host : "");
    snprintf(reason, sizeof(reason), "%s", outcome == ACME_ORDERED ? "" : end->reason);
}

/* The script gets the directory of state: as $0 and its host as $1. */
static void begin(const char *script)
{
    const char *command[] = {"/bin/sh", "-c", script, home.directory};
    const struct program_commands commands = {.of = {[ACME_ACCOUNT] = {command, ARRAY_LEN(command)},
                                                     [ACME_ORDER] = {command, ARRAY_LEN(command)}}};
    struct acme_order_options options = {.commands = home.commands, .timeout_ms = timeout_ms};

    n_ends = 0;
    spawned_begin(&commands);
    options.loop = &spawned_loop;
    options.spawner = spawned_spawner;
    order = acme_order_new(&options, on_end, NULL);
}

static void end(void)
{
    spawned_end();
    acme_order_free(order);
    spawned_free();
}

static int set_up(void **state)
{
    (void)state;
    acme_home_now = PKI_NOW_UNIX_S;
    acme_home_open(&home);
    pki_write_pair(acme_home_path(&home, "new.pem"), "other.pem", HOST, 30);
    store =
        cert_store_new(home.config->sources, home.config->n_sources, 10, &acme_home_clock, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    cert_store_unref(store);
    acme_home_close(&home);
    return 0;
}

static bool exists(const char *name)
{
    return access(acme_home_path(&home, name), F_OK) == 0;
}

/* uacme's key is there before uacme is; here it comes with the certificate. */
#define BRING                                               \
    "cp \"$0/new.pem\" \"$0/acme/account/$1/cert.pem\" && " \
    "cp other.pem \"$0/acme/account/private/$1/key.pem\""

static void test_order(void **state)
{
    (void)state;
    begin(BRING);
    acme_order_start(order, HOST, store);
    assert_true(acme_order_is_under_way(order));
    assert_string_equal(acme_order_host(order), HOST);
    spawned_wait_for(&n_ends, 1);
    assert_false(acme_order_is_under_way(order));
    if (outcome != ACME_ORDERED)
        fail_msg("%s", reason);
    assert_string_equal(host, HOST);
    assert_true(exists("certificates/" HOST "/certificate.pem"));
    assert_true(exists("certificates/" HOST "/key.pem"));
    assert_false(exists("acme/account/" HOST "/cert.pem"));
    end();
}

static void test_account(void **state)
{
    (void)state;
    begin("test -s \"$0/acme/account/private/key.pem\"");
    acme_order_start(order, NULL, NULL);
    spawned_wait_for(&n_ends, 1);
    assert_int_equal(outcome, ACME_ORDERED);
    assert_string_equal(host, "");
    end();
}

/* How a host's order can end without a certificate. */
static const struct {
    const char *script;
    enum acme_outcome outcome;
    const char *reason; /* its beginning */
} failures[] = {
    {"echo '  \"type\": \"urn:ietf:params:acme:error:caa\",'; exit 2", ACME_HOST_FAILED,
     "the certificate authority says caa"},
    {"echo \"mta-stsd-acme-hook: '/x' cannot be made: No space left on device\" >&2; exit 2",
     ACME_OBSTRUCTED, "mta-stsd-acme-hook: '/x' cannot be made: No space left on device"},
    {"kill -9 $$", ACME_HOST_FAILED, "'/usr/bin/uacme' was ended by signal 9"},
    {"exit 0", ACME_HOST_FAILED, "the certificate that was ordered is not installed: "},
    {"echo x >\"$0/acme/account/$1/cert.pem\"", ACME_HOST_FAILED,
     "the certificate that was ordered is not installed: "},
};

static void test_failures(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        set_up(state);
        begin(failures[i].script);
        acme_order_start(order, HOST, store);
        spawned_wait_for(&n_ends, 1);
        if (outcome != failures[i].outcome ||
            !slice_starts_with(slice_of(reason), failures[i].reason))
            fail_msg("row %zu: %d, %s", i, (int)outcome, reason);
        assert_false(exists("acme/account/" HOST "/cert.pem"));
        end();
        tear_down(state);
    }
}

/* What was brought and could not be installed is installed later, and not ordered again. */
static void test_kept_certificate(void **state)
{
    char *certificates = strdup(acme_home_path(&home, "certificates"));

    (void)state;
    begin("test ! -e \"$0/once\" && touch \"$0/once\" && " BRING);
    /* As a full disk, a directory that is not there is nobody's fault but ours. */
    assert_int_equal(rmdir(certificates), 0);
    for (unsigned i = 1; i <= 3; i++) {
        if (i == 3)
            assert_int_equal(mkdir(certificates, 0755), 0);
        acme_order_start(order, HOST, store);
        spawned_wait_for(&n_ends, i);
        assert_int_equal(outcome, i == 3 ? ACME_ORDERED : ACME_OBSTRUCTED);
        assert_int_equal(is_kept, i > 1);
        assert_true(i == 3 ||
                    slice_starts_with(slice_of(reason),
                                      "the certificate that was ordered is not installed: '"));
    }
    assert_true(exists("certificates/" HOST "/certificate.pem"));
    assert_false(exists("acme/account/" HOST "/cert.pem"));
    end();
    free(certificates);
}

/* Nor one of another authority, or one that will not do: then there is another order. */
static void test_kept_in_vain(void **state)
{
    static const struct {
        const char *note, *chain;
    } rows[] = {{"https://staging.ca.example/dir\n", NULL}, {"https://ca.example/dir\n", "x"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;

        set_up(state);
        begin("touch \"$0/ordered\" && " BRING);
        assert_int_equal(acme_commands_prepare_host(home.commands, HOST, &err), 0);
        pki_write_pair(acme_home_path(&home, "acme/account/" HOST "/cert.pem"), "kept.pem", HOST,
                       30);
        if (rows[i].chain)
            pki_write(acme_home_path(&home, "acme/account/" HOST "/cert.pem"), rows[i].chain, NULL);
        pki_write(acme_home_path(&home, "acme/account/" HOST "/directory"), rows[i].note, NULL);
        acme_order_start(order, HOST, store);
        spawned_wait_for(&n_ends, 1);
        assert_int_equal(outcome, ACME_ORDERED);
        assert_true(exists("ordered"));
        assert_false(is_kept);
        end();
        tear_down(state);
    }
}

/* uacme's words of a key do not say which file to look at. */
static void test_damaged_keys(void **state)
{
    char wanted[ACME_REASON_MAX];

    (void)state;
    begin("echo 'uacme: key_load: Base64 decoding error.' >&2; exit 2");
    acme_order_start(order, NULL, NULL);
    spawned_wait_for(&n_ends, 1);
    assert_int_equal(outcome, ACME_OBSTRUCTED);
    snprintf(wanted, sizeof(wanted),
             "'%s/acme/account/private/key.pem' is damaged; put your copy back, or remove the "
             "file, and a new key and a new account are made",
             home.directory);
    assert_string_equal(reason, wanted);
    acme_order_start(order, HOST, store);
    spawned_wait_for(&n_ends, 2);
    assert_int_equal(outcome, ACME_OBSTRUCTED);
    snprintf(wanted, sizeof(wanted),
             "'%s/acme/account/private/key.pem' or '%s/acme/account/private/" HOST
             "/key.pem' is damaged; put your copy back, or remove the file, and a new key is made",
             home.directory, home.directory);
    assert_string_equal(reason, wanted);
    end();
}

/* uacme waits for ever for an authority that is silent. */
static void test_silence(void **state)
{
    (void)state;
    timeout_ms = 50;
    begin("exec sleep 600");
    timeout_ms = ACME_ORDER_TIMEOUT_MS;
    acme_order_start(order, HOST, store);
    spawned_wait_for(&n_ends, 1);
    assert_int_equal(outcome, ACME_OUT_OF_ORDER);
    end();
}

/* No program is started where its directory cannot be made. */
static void test_no_room(void **state)
{
    char path[96];

    (void)state;
    begin("touch \"$0/started\"");
    snprintf(path, sizeof(path), "%s", acme_home_path(&home, "acme/account"));
    assert_int_equal(rmdir(acme_home_path(&home, "acme/account/private")), 0);
    assert_int_equal(rmdir(path), 0);
    acme_order_start(order, HOST, store);
    spawned_wait_for(&n_ends, 1);
    assert_int_equal(outcome, ACME_OBSTRUCTED);
    assert_non_null(strstr(reason, "cannot be made: No such file or directory"));
    acme_order_start(order, NULL, NULL);
    spawned_wait_for(&n_ends, 2);
    assert_int_equal(outcome, ACME_OBSTRUCTED);
    assert_false(exists("started"));
    end();
}

/* What a killed order has left does not get in the way, and does not stay. */
static void test_after_a_kill(void **state)
{
    static const char *const strays[] = {
        "acme/account/" HOST "/cert.pem", "acme/account/" HOST "/cert.pem.tmp",
        "acme/account/" HOST "/cert-1700000000.pem", "acme/account/private/" HOST "/key.pem.new",
        "certificates/.new-" HOST "/key.pem"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        pki_write(acme_home_path(&home, strays[i]), "x", NULL);
    begin(BRING);
    acme_order_start(order, HOST, store);
    spawned_wait_for(&n_ends, 1);
    assert_int_equal(outcome, ACME_ORDERED);
    for (size_t i = 0; i < ARRAY_LEN(strays); i++)
        if (exists(strays[i]))
            fail_msg("%s", strays[i]);
    assert_false(exists("certificates/.new-" HOST));
    end();
}

/* The daemon ends meanwhile: nothing is said any more. */
static void test_end(void **state)
{
    (void)state;
    begin("sleep 100");
    acme_order_start(order, HOST, store);
    for (int i = 0; i < 10; i++)
        uv_run(&spawned_loop, UV_RUN_NOWAIT), usleep(1000);
    acme_order_stop(order);
    spawned_end_daemon();
    acme_order_free(order);
    acme_order_free(NULL);
    spawned_free();
    assert_int_equal(n_ends, 0);
}

#define WITH_HOME(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_HOME(test_order),
        WITH_HOME(test_account),
        cmocka_unit_test(test_failures),
        WITH_HOME(test_no_room),
        WITH_HOME(test_silence),
        WITH_HOME(test_after_a_kill),
        WITH_HOME(test_end),
        WITH_HOME(test_damaged_keys),
        WITH_HOME(test_kept_certificate),
        cmocka_unit_test(test_kept_in_vain),
    };
    int status;

    if (spawned_is_spawner(argc, argv, &status))
        return status;
    status = cmocka_run_group_tests(tests, pki_enter_directory, pki_leave_directory);
    uv_library_shutdown(); /* what OpenSSL has for each thread of the pool is freed at its end */
    return status;
}
