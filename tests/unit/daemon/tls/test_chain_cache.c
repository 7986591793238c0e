/* SPDX-License-Identifier: MIT */
#include "daemon/tls/chain_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/tls/pem.h"
#include "support/pki.h"

/* Three authorities as PEM files have them. */
static struct fixture {
    struct pem_certificate authorities[3];
} fixture;

static int set_up(void **state)
{
    const struct pki_request request = {.common_name = "R1", .role = PKI_AUTHORITY};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct pki_identity *identity = pki_issue(&request, "P-256", NULL);
        unsigned char *der = NULL;
        int len = i2d_X509(identity->certificate, &der);

        fixture.authorities[i] = (struct pem_certificate){.der = der, .len = (size_t)len};
        pki_free(identity);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        OPENSSL_free((void *)(uintptr_t)fixture.authorities[i].der);
    return 0;
}

/* The chain of these authorities, at most two, named by their numbers. */
static struct chain *take(struct chain_cache *chains, size_t n, size_t first, size_t second)
{
    struct pem_certificate two[2] = {fixture.authorities[first], fixture.authorities[second]};
    const char numbers[] = {(char)first, (char)second};
    struct slice name = {numbers, n};
    struct chain *chain = chain_cache_acquire(chains, name);

    two[0].next = n == 2 ? &two[1] : NULL;
    return chain ? chain : chain_cache_add(chains, name, n == 0 ? NULL : two);
}

static void test_same_chain_is_kept_once(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct chain *chain = take(chains, 2, 0, 1), *again = take(chains, 2, 0, 1);

    (void)state;
    assert_ptr_equal(chain, again);
    assert_int_equal(sk_X509_num(chain_certificates(chain)), 2);
    chain_release(again);
    chain_release(chain);
    chain_cache_unref(chains);
}

static void test_other_chains_are_others(void **state)
{
    static const struct {
        size_t n, first, second;
    } rows[] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {2, 0, 1}, {2, 1, 0}, {2, 0, 2}, {2, 0, 0}};
    struct chain *taken[sizeof(rows) / sizeof(rows[0])];
    struct chain_cache *chains = chain_cache_new();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        taken[i] = take(chains, rows[i].n, rows[i].first, rows[i].second);
        assert_int_equal(sk_X509_num(chain_certificates(taken[i])), rows[i].n);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(taken[i], taken[j]);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        chain_release(taken[i]);
    chain_cache_unref(chains);
}

/* Two threads may decode the same chain: the first one's stays. */
static void test_added_twice(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct chain *chain = chain_cache_add(chains, slice_of("R1"), &fixture.authorities[0]);
    struct chain *again = chain_cache_add(chains, slice_of("R1"), &fixture.authorities[0]);

    (void)state;
    assert_ptr_equal(chain, again);
    chain_release(again);
    chain_release(chain);
    chain_cache_unref(chains);
}

/* Under ASan: what nobody uses goes with its collection, what somebody uses outlives it. */
static void test_last_use(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct chain *chain;

    (void)state;
    chain_release(take(chains, 1, 0, 0));
    chain = take(chains, 1, 0, 0);
    chain_cache_unref(chains);
    assert_int_equal(sk_X509_num(chain_certificates(chain)), 1);
    chain_release(chain);
    chain_release(NULL);
    chain_cache_unref(NULL);
}

static void test_damaged(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    struct pem_certificate cut = fixture.authorities[0], whole = fixture.authorities[1];

    (void)state;
    cut.len--;
    whole.next = &cut;
    assert_null(chain_cache_add(chains, slice_of("cut"), &cut));
    assert_null(chain_cache_add(chains, slice_of("whole"), &whole));
    assert_null(chain_cache_acquire(chains, slice_of("cut")));
    chain_cache_unref(chains);
}

static void *take_often(void *chains)
{
    for (size_t i = 0; i < 300; i++)
        chain_release(take(chains, 1, i % 3, 0));
    return NULL;
}

/* Under TSan: all threads at once. */
static void test_threads(void **state)
{
    struct chain_cache *chains = chain_cache_new();
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, chains), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    chain_cache_unref(chains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_chain_is_kept_once),
        cmocka_unit_test(test_other_chains_are_others),
        cmocka_unit_test(test_added_twice),
        cmocka_unit_test(test_last_use),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests_name("tls.chain", tests, set_up, tear_down);
}
