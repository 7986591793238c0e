/* SPDX-License-Identifier: MIT */
#include "tls/p256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

static const OSSL_DISPATCH core[] = {
    {OSSL_FUNC_BIO_READ_EX, (void (*)(void))BIO_read_ex},
    {OSSL_FUNC_BIO_CTRL, (void (*)(void))BIO_ctrl},
    {0, NULL},
};

static struct fixture {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *provider;
    OSSL_ALGORITHM keys, decoder;
} fixture;

static OSSL_ALGORITHM find(int operation, const char *name, const char *property)
{
    int no_cache;
    const OSSL_ALGORITHM *row =
        OSSL_PROVIDER_query_operation(fixture.provider, operation, &no_cache);

    while (strncmp(row->algorithm_names, name, strlen(name)) != 0 ||
           !strstr(row->property_definition, property))
        row++;
    return *row;
}

static int set_up(void **state)
{
    (void)state;
    fixture.library = OSSL_LIB_CTX_new();
    fixture.provider = OSSL_PROVIDER_load(fixture.library, "default");
    fixture.keys = find(OSSL_OP_KEYMGMT, "EC:", "");
    fixture.decoder = find(OSSL_OP_DECODER, "EC", "structure=SubjectPublicKeyInfo");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    p256_unwrap();
    OSSL_PROVIDER_unload(fixture.provider);
    OSSL_LIB_CTX_free(fixture.library);
    return 0;
}

static bool wraps(const OSSL_DISPATCH *offered, OSSL_ALGORITHM keys, OSSL_ALGORITHM decoder)
{
    p256_wrap(OSSL_PROVIDER_get0_provider_ctx(fixture.provider), offered, &keys, &decoder);
    return keys.implementation != fixture.keys.implementation &&
           decoder.implementation != fixture.decoder.implementation;
}

/* What test_algorithms.c decodes would be right without it as well. */
static void test_wrap(void **state)
{
    (void)state;
    assert_true(wraps(core, fixture.keys, fixture.decoder));
}

static void test_other_provider(void **state)
{
    static const OSSL_DISPATCH none[] = {{0, NULL}};
    OSSL_ALGORITHM empty = {"EC", "", none, NULL};

    (void)state;
    assert_false(wraps(none, fixture.keys, fixture.decoder));
    assert_false(wraps(core, empty, fixture.decoder));
    assert_false(wraps(core, fixture.keys, empty));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_other_provider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrap, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("tls.p256", tests, NULL, NULL);
}
