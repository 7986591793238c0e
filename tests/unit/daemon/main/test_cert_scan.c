/* SPDX-License-Identifier: MIT */
#include "daemon/main/cert_scan.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/main/cert_states.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/diag/config_finding.h"
#include "support/loaded.h"

/* The clock of the slices: each look at it is a step later. */
static atomic_uint_fast64_t now_ms;

static uint64_t test_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return atomic_fetch_add(&now_ms, 1);
}

static const struct clock test_clock = {.monotonic_ms = test_monotonic_ms};

struct seen {
    sem_t done;
    atomic_uint n_scans;
    struct cert_counts counts; /* of the last scan */
    size_t n_fetchable;        /* in all */
    size_t last_fetchable;
};

static void on_scanned(void *context, const struct cert_counts *counts)
{
    struct seen *seen = context;

    seen->counts = *counts;
    seen->n_scans++;
    sem_post(&seen->done);
}

static void on_fetchable(void *context, struct config *config, const size_t *domains,
                         size_t n_domains)
{
    struct seen *seen = context;

    assert_true(n_domains > 0 && domains[n_domains - 1] < config->n_domains);
    seen->n_fetchable += n_domains;
    seen->last_fetchable = domains[n_domains - 1];
}

static struct config *load_domains(const char *domains)
{
    return loaded_config("certificates: [{chain: \"/nonexistent/{host}.pem\", "
                         "key: \"/nonexistent/{host}.pem\"}]\n"
                         "domains: {%s}\n",
                         domains);
}

static struct cert_store *store_for(const struct config *config)
{
    return cert_store_new(config->sources, config->n_sources, 10, &clock_system, NULL);
}

static struct cert_scan *make_scan(struct seen *seen, unsigned slice_ms)
{
    const struct cert_scan_options options = {.clock = &test_clock,
                                              .slice_ms = slice_ms,
                                              .all_ms = 1000000,
                                              .done = on_scanned,
                                              .fetchable = on_fetchable,
                                              .context = seen};

    *seen = (struct seen){0};
    sem_init(&seen->done, 0, 0);
    return cert_scan_new(&options);
}

/* Starts a scan and drops the references. */
static void start_scan(struct cert_scan *scan, const char *domains)
{
    struct config *config = load_domains(domains);
    struct cert_store *store = store_for(config);

    cert_scan_start(scan, config, store);
    cert_store_unref(store);
    config_unref(config);
}

static uint64_t count_hosts(const struct cert_counts *counts)
{
    uint64_t n_hosts = 0;

    for (int i = 0; i < FINDING_COUNT; i++)
        n_hosts += counts->n_hosts[i];
    return n_hosts;
}

#define THREE "a.example: {mode: none}, b.example: {mode: none}, c.example: {mode: none}"

static void test_counts(void **state)
{
    static const unsigned slices_ms[] = {0, 1, 2, 1000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slices_ms); i++) {
        struct seen seen;
        struct cert_scan *scan = make_scan(&seen, slices_ms[i]);

        start_scan(scan, THREE);
        sem_wait(&seen.done);
        assert_int_equal(count_hosts(&seen.counts), 3);
        assert_int_equal(seen.counts.n_hosts[FINDING_NONE], 0);
        assert_int_equal(seen.counts.earliest_expiry_unix_s, 0);
        start_scan(scan, "a.example: {mode: none}");
        sem_wait(&seen.done);
        assert_int_equal(count_hosts(&seen.counts), 1);
        cert_scan_free(scan);
        sem_destroy(&seen.done);
    }
}

/* Whether the domains have a certificate elsewhere is told of each once, whatever is reloaded. */
static void test_fetchable(void **state)
{
    struct seen seen;
    struct cert_scan *scan = make_scan(&seen, 1000);

    (void)state;
    start_scan(scan, THREE);
    sem_wait(&seen.done);
    assert_int_equal(seen.n_fetchable, 0);
    start_scan(scan, "a.example: {mode: none}, b.example: {mode: none, allow: "
                     "[certificate-missing]}, z.example: {mode: none}");
    sem_wait(&seen.done);
    assert_int_equal(seen.n_fetchable, 1);
    assert_int_equal(seen.last_fetchable, 1);
    assert_int_equal(count_hosts(&seen.counts), 2);
    start_scan(scan, "b.example: {mode: none, allow: [certificate-missing]}, c.example: {mode: "
                     "none, allow: [certificate-missing]}");
    sem_wait(&seen.done);
    assert_int_equal(seen.n_fetchable, 2);
    assert_int_equal(seen.last_fetchable, 1);
    cert_scan_free(scan);
    sem_destroy(&seen.done);
}

/* A look counts again, before there is a configuration too; all hosts are due after their time. */
static void test_look(void **state)
{
    struct seen seen;
    struct cert_scan *scan = make_scan(&seen, 1000);

    (void)state;
    cert_scan_look(scan);
    start_scan(scan, THREE);
    sem_wait(&seen.done);
    for (int i = 0; i < 3; i++) {
        cert_scan_look(scan);
        sem_wait(&seen.done);
        assert_int_equal(count_hosts(&seen.counts), 3);
        atomic_fetch_add(&now_ms, 1000000);
    }
    assert_int_equal(seen.n_scans, 4);
    cert_scan_free(scan);
    sem_destroy(&seen.done);
    cert_scan_look(NULL);
}

static void test_hold(void **state)
{
    struct seen seen;
    struct cert_scan *scan = make_scan(&seen, 1000);

    (void)state;
    cert_scan_hold(scan);
    start_scan(scan, "a.example: {mode: none}");
    start_scan(scan, THREE);
    assert_int_equal(seen.n_scans, 0);
    cert_scan_resume(scan);
    sem_wait(&seen.done);
    /* The first had not begun. */
    assert_int_equal(seen.n_scans, 1);
    assert_int_equal(count_hosts(&seen.counts), 3);
    cert_scan_free(scan);
    sem_destroy(&seen.done);
}

static void test_end(void **state)
{
    struct seen seen;
    struct cert_scan *scan = make_scan(&seen, 1000);

    (void)state;
    cert_scan_hold(scan);
    start_scan(scan, THREE);
    cert_scan_stop(scan);
    cert_scan_resume(scan);
    cert_scan_free(scan);
    assert_int_equal(seen.n_scans, 0);
    sem_destroy(&seen.done);
    cert_scan_free(NULL);
    cert_scan_start(NULL, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts), cmocka_unit_test(test_fetchable),
        cmocka_unit_test(test_look),   cmocka_unit_test(test_hold),
        cmocka_unit_test(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
