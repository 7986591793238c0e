/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_loader.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"

enum {
    LONG_MS = 60 * 1000, /* never waited for */
    SHORT_MS = 50,
    ASKERS = 8,
};

/* Storage that the test holds back. */
static struct {
    sem_t gate; /* a read needs one of these */
    sem_t reached;
    _Atomic unsigned n_reads;
} storage;

static struct cert_store *open_store(void)
{
    sem_init(&storage.gate, 0, 0);
    sem_init(&storage.reached, 0, 0);
    storage.n_reads = 0;
    return cert_store_new(NULL, 0, 100, &clock_system, NULL);
}

static void close_store(struct cert_store *store, struct cert_loader *loader)
{
    while (cert_loader_free(loader) != 0)
        sched_yield();
    cert_store_unref(store);
    sem_destroy(&storage.gate);
    sem_destroy(&storage.reached);
}

static struct certificate *load_slowly(struct cert_store *store, const char *host)
{
    storage.n_reads++;
    sem_post(&storage.reached);
    sem_wait(&storage.gate);
    return cert_store_find(store, host);
}

/* Whether it is not known yet that the host has no certificate. */
static bool is_late(struct cert_loader *loader, struct cert_store *store, const char *host)
{
    bool result;

    assert_null(cert_loader_find(loader, store, host, &result));
    return result;
}

static bool is_stored(struct cert_store *store, const char *host)
{
    struct certificate *certificate = NULL;
    bool result = cert_store_lookup(store, host, &certificate);

    assert_null(certificate);
    return result;
}

static void test_stored_is_not_read(void **state)
{
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, LONG_MS);

    (void)state;
    assert_null(cert_store_find(store, "a.example"));
    assert_false(is_late(loader, store, "a.example"));
    assert_int_equal(storage.n_reads, 0);
    close_store(store, loader);
    assert_int_equal(cert_loader_free(NULL), 0);
}

static void test_read_in_time(void **state)
{
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, LONG_MS);

    (void)state;
    sem_post(&storage.gate);
    assert_false(is_stored(store, "a.example"));
    assert_false(is_late(loader, store, "a.example"));
    assert_true(is_stored(store, "a.example"));
    assert_false(is_late(loader, store, "a.example"));
    assert_int_equal(storage.n_reads, 1);
    close_store(store, loader);
}

/* Refused, read once all the same, and in the store when the read is through. */
static void test_read_too_slow(void **state)
{
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, 0);

    (void)state;
    assert_null(cert_store_find(store, "known.example"));
    for (int i = 0; i < 3; i++)
        assert_true(is_late(loader, store, "a.example"));
    sem_wait(&storage.reached);
    assert_false(is_stored(store, "a.example"));
    assert_true(is_late(loader, store, "b.example"));
    assert_false(is_late(loader, store, "known.example"));
    sem_wait(&storage.reached); /* b.example is read beside a.example */
    sem_post(&storage.gate);
    sem_post(&storage.gate);
    while (!is_stored(store, "a.example") || !is_stored(store, "b.example"))
        sched_yield();
    assert_int_equal(storage.n_reads, 2);
    close_store(store, loader);
}

/* A time-out is waited for once, not by each of many hosts; then it ends as reads are fast again.
 */
static void test_many_on_slow_storage(void **state)
{
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, SHORT_MS);
    uint64_t began_ms = clock_system.monotonic_ms(&clock_system);
    char host[32];

    (void)state;
    for (int i = 0; i < CERT_LOADER_JOBS_MAX + 10; i++) {
        snprintf(host, sizeof(host), "h%d.example", i);
        assert_true(is_late(loader, store, host));
    }
    assert_true(clock_system.monotonic_ms(&clock_system) - began_ms <
                (CERT_LOADER_JOBS_MAX / 2) * SHORT_MS);
    for (int i = 0; i < CERT_LOADER_THREADS; i++)
        sem_wait(&storage.reached);
    assert_int_equal(storage.n_reads, CERT_LOADER_THREADS);
    for (int i = 0; i < 1000; i++)
        sem_post(&storage.gate);
    snprintf(host, sizeof(host), "h%d.example", CERT_LOADER_JOBS_MAX - 1);
    while (!is_stored(store, host))
        sched_yield();
    assert_false(is_stored(store, "h64.example")); /* one too many */
    do
        host[0]++; /* hosts that are new to the store */
    while (is_late(loader, store, host));
    close_store(store, loader);
}

struct asker {
    struct cert_loader *loader;
    struct cert_store *store;
    const char *host;
};

static void *ask(void *context)
{
    const struct asker *asker = context;

    assert_false(is_late(asker->loader, asker->store, asker->host));
    return NULL;
}

static void test_many_ask_at_once(void **state)
{
    struct cert_store *store = open_store();
    struct asker asker = {cert_loader_new(load_slowly, LONG_MS), store, "a.example"};
    pthread_t threads[ASKERS];

    (void)state;
    for (size_t i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asker), 0);
    sem_wait(&storage.reached);
    sem_post(&storage.gate);
    /* Those that come after the first read is through find the host in the store. */
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(storage.n_reads, 1);
    close_store(store, asker.loader);
}

static void test_more_hosts_than_threads(void **state)
{
    static const char *const hosts[ASKERS] = {"a.example", "b.example", "c.example", "d.example",
                                              "e.example", "f.example", "g.example", "h.example"};
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, LONG_MS);
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];

    (void)state;
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){loader, store, hosts[i]};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < CERT_LOADER_THREADS; i++)
        sem_wait(&storage.reached);
    assert_int_equal(storage.n_reads, CERT_LOADER_THREADS);
    for (size_t i = 0; i < ASKERS; i++)
        sem_post(&storage.gate);
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(storage.n_reads, ASKERS);
    close_store(store, loader);
}

/* An end waits for no read that hangs, nor for those behind it. */
static void test_end_while_a_read_hangs(void **state)
{
    struct cert_store *store = open_store();
    struct cert_loader *loader = cert_loader_new(load_slowly, 0);
    char host[] = "a.example";

    (void)state;
    for (; host[0] <= 'a' + CERT_LOADER_THREADS; host[0]++)
        assert_true(is_late(loader, store, host));
    for (int i = 0; i < CERT_LOADER_THREADS; i++)
        sem_wait(&storage.reached);
    assert_int_equal(cert_loader_free(loader), -1);
    for (int i = 0; i < CERT_LOADER_THREADS; i++)
        sem_post(&storage.gate);
    while (cert_loader_free(loader) != 0)
        sched_yield();
    assert_int_equal(storage.n_reads, CERT_LOADER_THREADS);
    close_store(store, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_is_not_read),
        cmocka_unit_test(test_read_in_time),
        cmocka_unit_test(test_read_too_slow),
        cmocka_unit_test(test_many_on_slow_storage),
        cmocka_unit_test(test_many_ask_at_once),
        cmocka_unit_test(test_more_hosts_than_threads),
        cmocka_unit_test(test_end_while_a_read_hangs),
    };

    return cmocka_run_group_tests_name("tls.cert_loader", tests, NULL, NULL);
}
