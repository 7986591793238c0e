/* SPDX-License-Identifier: MIT */
#include "daemon/main/server_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/main/cert_states.h"
#include "lib/config/config.h"

static void test_config(void **state)
{
    struct policy_document testing = {.policy = {.mode = POLICY_TESTING}};
    struct policy_document enforce = {.policy = {.mode = POLICY_ENFORCE}};
    struct domain domains[] = {
        {.document = &testing}, {.document = &enforce}, {.document = NULL}, {.document = &enforce}};
    struct config config = {.domains = domains, .n_domains = 4};
    struct server_stats stats = {0};

    (void)state;
    server_stats_count_refusal(&stats);
    server_stats_set_config(&stats, &config, 1234);
    server_stats_count_reload(&stats);
    assert_int_equal(stats.n_domains[POLICY_TESTING], 1);
    assert_int_equal(stats.n_domains[POLICY_ENFORCE], 2);
    assert_int_equal(stats.loaded_at_unix_s, 1234);
    assert_true(stats.is_last_reload_good);
    assert_int_equal(stats.n_reloads_good, 1);
    assert_int_equal(stats.n_reloads_refused, 1);
    server_stats_count_refusal(&stats);
    assert_false(stats.is_last_reload_good);
    assert_int_equal(stats.loaded_at_unix_s, 1234);
}

static void test_certificates(void **state)
{
    struct cert_counts counts = {.n_hosts = {[FINDING_NONE] = 3}, .earliest_expiry_unix_s = 99};
    struct server_stats stats = {0};

    (void)state;
    counts.n_hosts[FINDING_CERTIFICATE_CHAIN] = 2;
    server_stats_set_certificates(&stats, &counts);
    assert_int_equal(stats.n_certificates[FINDING_NONE], 3);
    assert_int_equal(stats.n_certificates[FINDING_CERTIFICATE_CHAIN], 2);
    assert_int_equal(stats.earliest_expiry_unix_s, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
