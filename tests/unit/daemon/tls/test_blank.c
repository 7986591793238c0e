/* SPDX-License-Identifier: MIT */
#include "daemon/tls/blank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

#include "daemon/tls/chain_cache.h"
#include "lib/base/slice.h"
#include "support/pki.h"

static OSSL_PROVIDER *provider;

static int set_up(void **state)
{
    (void)state;
    provider = OSSL_PROVIDER_load(NULL, "default");
    assert_non_null(provider);
    assert_null(blank_library());
    blank_make(provider);
    assert_non_null(blank_library());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    blank_free();
    assert_null(blank_library());
    OSSL_PROVIDER_unload(provider);
    return 0;
}

/* The certificate as any other, but for its key. */
static void test_keys(void **state)
{
    static const struct {
        const char *kind;
        bool want_key;
    } rows[] = {{"P-256", true}, {"P-384", true}, {"RSA-2048", false}, {"ED25519", false}};
    static const struct pki_request request = {.common_name = "leaf", .names = "DNS:a.example"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pki_identity *identity = pki_issue(&request, rows[i].kind, NULL);
        unsigned char *der = NULL;
        int len = i2d_X509(identity->certificate, &der);
        X509 *decoded = x509_decode(blank_library(), der, (size_t)len);
        EVP_PKEY *key = X509_get0_pubkey(decoded);

        assert_non_null(decoded);
        assert_int_equal(X509_cmp(decoded, identity->certificate), 0);
        assert_int_equal(
            X509_get_extension_flags(decoded) & (EXFLAG_INVALID | EXFLAG_NO_FINGERPRINT), 0);
        assert_int_equal(X509_check_host(decoded, "a.example", 0, 0, NULL), 1);
        if ((key != NULL) != rows[i].want_key || EVP_PKEY_eq(key, identity->key) == 1)
            fail_msg("row %zu: wanted a blank key: %d", i, rows[i].want_key);
        X509_free(decoded);
        OPENSSL_free(der);
        pki_free(identity);
    }
    ERR_clear_error();
}

/* What fills it makes it a key like any other. */
static void test_fill(void **state)
{
    static const struct pki_request request = {.common_name = "leaf"};
    struct pki_identity *identity = pki_issue(&request, "P-256", NULL);
    unsigned char *der = NULL;
    int len = i2d_X509(identity->certificate, &der);
    X509 *decoded = x509_decode(blank_library(), der, (size_t)len);
    EVP_PKEY *key = X509_get0_pubkey(decoded);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params;

    (void)state;
    assert_int_equal(EVP_PKEY_todata(identity->key, EVP_PKEY_KEYPAIR, &params), 1);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params), 1);
    assert_ptr_equal(key, X509_get0_pubkey(decoded));
    assert_int_equal(X509_check_private_key(decoded, identity->key), 1);
    assert_int_equal(X509_verify(identity->certificate, key), 1);
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    X509_free(decoded);
    OPENSSL_free(der);
    pki_free(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_fill),
    };

    return cmocka_run_group_tests_name("tls.blank", tests, set_up, tear_down);
}
