/* SPDX-License-Identifier: MIT */
#include "daemon/tls/cert_loader.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/base/slice.h"

enum {
    PATIENT_MS = 60 * 1000, /* never waited for */
    THREADS = 8,
};

/* Storage that the test holds back: the store's context in a test is nothing but this. */
static struct {
    sem_t gate; /* a read needs one of these */
    sem_t reached;
    _Atomic unsigned n_reads;
    pthread_t threads[THREADS]; /* that read, in order */
} storage;

static struct cert_store *open_store(void)
{
    sem_init(&storage.gate, 0, 0);
    sem_init(&storage.reached, 0, 0);
    storage.n_reads = 0;
    return cert_store_new(NULL, 0, 100, &clock_system, NULL);
}

static void close_store(struct cert_store *store, struct cert_reader *reader)
{
    cert_reader_free(reader);
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
static bool is_late(struct cert_reader *reader, struct cert_store *store, const char *host)
{
    bool result;

    assert_null(cert_reader_find(reader, store, host, &result));
    return result;
}

static void test_what_is_remembered_is_not_read(void **state)
{
    struct cert_store *store = open_store();
    struct cert_reader *reader = cert_reader_new(load_slowly, 1, PATIENT_MS);

    (void)state;
    assert_null(cert_store_find(store, "a.example"));
    assert_false(is_late(reader, store, "a.example"));
    assert_int_equal(storage.n_reads, 0);
    close_store(store, reader);
}

static void test_read_in_time(void **state)
{
    struct cert_store *store = open_store();
    struct cert_reader *reader = cert_reader_new(load_slowly, 1, PATIENT_MS);
    struct certificate *certificate;

    (void)state;
    sem_post(&storage.gate);
    assert_false(cert_store_recall(store, "a.example", &certificate));
    assert_false(is_late(reader, store, "a.example"));
    assert_true(cert_store_recall(store, "a.example", &certificate));
    assert_null(certificate);
    assert_false(is_late(reader, store, "a.example"));
    assert_int_equal(storage.n_reads, 1);
    close_store(store, reader);
}

/* It is refused, read once all the same, and there when the read is through. */
static void test_read_too_slow(void **state)
{
    struct cert_store *store = open_store();
    struct cert_reader *reader = cert_reader_new(load_slowly, 2, 0);
    struct certificate *certificate;

    (void)state;
    assert_null(cert_store_find(store, "known.example"));
    for (int i = 0; i < 3; i++)
        assert_true(is_late(reader, store, "a.example"));
    sem_wait(&storage.reached);
    assert_false(cert_store_recall(store, "a.example", &certificate));
    /* As long as that read hangs, no other begins; what is in the store is answered. */
    assert_true(is_late(reader, store, "b.example"));
    assert_false(is_late(reader, store, "known.example"));
    sem_post(&storage.gate);
    while (!cert_store_recall(store, "a.example", &certificate))
        sched_yield();
    sem_post(&storage.gate);
    while (!cert_store_recall(store, "b.example", &certificate))
        assert_null(cert_reader_find(reader, store, "b.example", &(bool){false}));
    assert_int_equal(storage.n_reads, 2);
    close_store(store, reader);
}

struct asker {
    struct cert_reader *reader;
    struct cert_store *store;
    const char *host;
};

static void *ask(void *context)
{
    const struct asker *asker = context;

    assert_false(is_late(asker->reader, asker->store, asker->host));
    return NULL;
}

static void test_too_many_read(void **state)
{
    struct cert_store *store = open_store();
    struct cert_reader *reader = cert_reader_new(load_slowly, 2, PATIENT_MS);
    struct asker askers[] = {{reader, store, "a.example"}, {reader, store, "b.example"}};
    pthread_t threads[ARRAY_LEN(askers)];
    struct certificate *certificate;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        sem_wait(&storage.reached);
    /* No thread is left for a third. */
    assert_true(is_late(reader, store, "c.example"));
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        sem_post(&storage.gate);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(storage.n_reads, 2);
    assert_false(cert_store_recall(store, "c.example", &certificate));
    close_store(store, reader);
}

static void test_many_ask_at_once(void **state)
{
    struct cert_store *store = open_store();
    struct asker asker = {cert_reader_new(load_slowly, THREADS, PATIENT_MS), store, "a.example"};
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asker), 0);
    sem_wait(&storage.reached);
    sem_post(&storage.gate);
    /* Who comes after the first read is through finds it remembered. */
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(storage.n_reads, 1);
    close_store(store, asker.reader);
}

static struct certificate *load_at_once(struct cert_store *store, const char *host)
{
    storage.threads[storage.n_reads++] = pthread_self();
    return cert_store_find(store, host);
}

/* Whose caches are warm: the thread that has just been waited for. */
static void test_one_after_the_other(void **state)
{
    struct cert_store *store = open_store();
    struct cert_reader *reader = cert_reader_new(load_at_once, THREADS, PATIENT_MS);
    char host[] = "0.example";

    (void)state;
    for (; host[0] < '0' + THREADS; host[0]++)
        assert_false(is_late(reader, store, host));
    assert_int_equal(storage.n_reads, THREADS);
    for (size_t i = 1; i < THREADS; i++)
        assert_true(pthread_equal(storage.threads[i], storage.threads[0]));
    close_store(store, reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_remembered_is_not_read),
        cmocka_unit_test(test_read_in_time),
        cmocka_unit_test(test_read_too_slow),
        cmocka_unit_test(test_too_many_read),
        cmocka_unit_test(test_many_ask_at_once),
        cmocka_unit_test(test_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
