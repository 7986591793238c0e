/* SPDX-License-Identifier: MIT */
#include "daemon/acme/acme_sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/acme/acme_commands.h"
#include "daemon/confine/privileges.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/policy/policy.h"

#define HERE "mta-sts.a.example"
#define GONE "mta-sts.gone.example"

enum {
    NOW = 1700000000,
};

static char directory[64];
static struct acme_settings settings = {.directory = "https://ca.example/dir", .has_orders = true};
static struct policy_document document;
static struct domain domains[] = {{.name = "a.example", .document = &document}};
static struct config config = {
    .acme = &settings, .state = directory, .domains = domains, .n_domains = 1};
static struct acme_commands *commands;

static const char *path_of(const char *name)
{
    static char path[256];

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

static int exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void sweep(int64_t now_unix_s, size_t n_marked, size_t n_unmarked, size_t n_removed)
{
    struct acme_sweep_counts counts;

    acme_sweep_run(commands, &config, now_unix_s, &counts);
    assert_int_equal(counts.n_marked, n_marked);
    assert_int_equal(counts.n_unmarked, n_unmarked);
    assert_int_equal(counts.n_removed, n_removed);
}

static int set_up(void **state)
{
    static const char *const hosts[] = {HERE, GONE};
    const struct account account = {0};
    struct err err;
    char path[128];

    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/sweep-XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(acme_commands_new(&config, "a.yaml", &commands, &err), 0);
    assert_int_equal(acme_commands_make_directories(commands, &account, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "certificates/%s", hosts[i]);
        assert_int_equal(mkdir(path_of(path), 0755), 0);
        snprintf(path, sizeof(path), "certificates/%s/key.pem", hosts[i]);
        write_file(path, "key");
        assert_int_equal(acme_commands_prepare_host(commands, hosts[i], &err), 0);
    }
    assert_int_equal(mkdir(path_of("certificates/.new-" GONE), 0755), 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    acme_commands_free(commands);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void test_host_that_stays_away(void **state)
{
    (void)state;
    sweep(NOW, 1, 0, 0);
    sweep(NOW, 0, 0, 0);
    sweep(NOW + ACME_SWEEP_KEPT_S - 1, 0, 0, 0);
    assert_true(exists("certificates/" GONE "/key.pem"));
    sweep(NOW + ACME_SWEEP_KEPT_S, 0, 0, 1);
    assert_false(exists("certificates/" GONE));
    assert_false(exists("acme/account/" GONE));
    assert_false(exists("acme/account/private/" GONE));
    assert_true(exists("certificates/" HERE "/key.pem"));
    assert_true(exists("acme/account/private/" HERE "/key.pem"));
}

static void test_host_that_comes_back(void **state)
{
    (void)state;
    sweep(NOW, 1, 0, 0);
    domains[0].name = "gone.example";
    sweep(NOW + 1, 1, 1, 0); /* and the other one has left */
    assert_false(exists("certificates/" GONE "/" ACME_SWEEP_MARK));
    domains[0].name = "a.example";
    sweep(NOW + ACME_SWEEP_KEPT_S, 1, 1, 0);
}

static void test_damaged_mark(void **state)
{
    (void)state;
    write_file("certificates/" GONE "/" ACME_SWEEP_MARK, "x");
    sweep(NOW, 0, 0, 0);
    assert_true(exists("certificates/" GONE "/key.pem"));
}

static void test_no_directory(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s/certificates", directory);
    assert_int_equal(system(command), 0);
    sweep(NOW, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_host_that_stays_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_host_that_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_mark, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
