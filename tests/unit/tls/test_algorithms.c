/* SPDX-License-Identifier: MIT */
#include "tls/algorithms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/slice.h"

/* OpenSSL has a type for each operation, and its own functions for each. */
#define DEFINE_HAS(function, type)                    \
    static bool function(const char *name)            \
    {                                                 \
        void *found = type##_fetch(NULL, name, NULL); \
                                                      \
        type##_free(found);                           \
        return found;                                 \
    }

DEFINE_HAS(has_key, EVP_KEYMGMT)
DEFINE_HAS(has_decoder, OSSL_DECODER)
DEFINE_HAS(has_cipher, EVP_CIPHER)
DEFINE_HAS(has_digest, EVP_MD)
DEFINE_HAS(has_kdf, EVP_KDF)

static void test_kept(void **state)
{
    static const struct {
        bool (*has)(const char *name);
        const char *name;
        bool want;
    } rows[] = {
        {has_key, "EC", true},
        {has_key, "id-ecPublicKey", true},
        {has_key, "RSA", true},
        {has_key, "ED25519", true},
        {has_key, "X25519", true},
        {has_key, "DH", false},
        {has_key, "SM2", false},
        {has_decoder, "EC", true},
        {has_decoder, "RSA", true},
        {has_decoder, "DSA", false},
        {has_cipher, "AES-128-GCM", true},
        {has_cipher, "ChaCha20-Poly1305", true},
        {has_cipher, "AES-128-CBC", false},
        {has_digest, "SHA256", true},
        {has_digest, "SHA512", true},
        {has_digest, "SHA1", true},
        {has_digest, "SHA3-256", false},
        {has_kdf, "TLS13-KDF", true},
        {has_kdf, "SCRYPT", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].has(rows[i].name) != rows[i].want)
            fail_msg("row %zu, %s: wanted %d", i, rows[i].name, rows[i].want);
    ERR_clear_error();
}

static EVP_PKEY *make_key(const char *kind, const char *group, const char *form, const char *params)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (group)
        assert_int_equal(EVP_PKEY_CTX_set_group_name(context, group), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    if (form)
        assert_int_equal(
            EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form),
            1);
    if (params)
        assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, params),
                         1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Whether a signature by `key` is good by `public`. */
static bool verifies(EVP_PKEY *key, EVP_PKEY *public)
{
    static const unsigned char text[] = "v=STSv1; id=1";
    EVP_MD_CTX *signer = EVP_MD_CTX_new(), *verifier = EVP_MD_CTX_new();
    const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";
    unsigned char signature[512];
    size_t len = sizeof(signature);
    bool is_good;

    assert_int_equal(EVP_DigestSignInit_ex(signer, NULL, digest, NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(signer, signature, &len, text, sizeof(text)), 1);
    assert_int_equal(EVP_DigestVerifyInit_ex(verifier, NULL, digest, NULL, NULL, public, NULL), 1);
    is_good = EVP_DigestVerify(verifier, signature, len, text, sizeof(text)) == 1;
    EVP_MD_CTX_free(signer);
    EVP_MD_CTX_free(verifier);
    return is_good;
}

/* Of all kinds, those of P-256 that are decoded by ourselves among them. */
static void test_public_keys(void **state)
{
    static const struct {
        const char *kind, *group, *form, *params;
    } rows[] = {
        {"EC", "P-256", NULL, NULL},       {"EC", "P-256", "compressed", NULL},
        {"EC", "P-256", NULL, "explicit"}, {"EC", "P-256", "hybrid", NULL},
        {"EC", "P-384", NULL, NULL},       {"RSA", NULL, NULL, NULL},
        {"ED25519", NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EVP_PKEY *key = make_key(rows[i].kind, rows[i].group, rows[i].form, rows[i].params);
        unsigned char *der = NULL, *again = NULL;
        int len = i2d_PUBKEY(key, &der);
        const unsigned char *at = der;
        EVP_PKEY *public = d2i_PUBKEY(NULL, &at, len);

        assert_true(len > 0);
        if (!public || at != der + len || EVP_PKEY_eq(key, public) != 1 || !verifies(key, public))
            fail_msg("row %zu: another key", i);
        if (i2d_PUBKEY(public, &again) != len || memcmp(der, again, (size_t)len) != 0)
            fail_msg("row %zu: encoded otherwise", i);
        EVP_PKEY_free(key);
        EVP_PKEY_free(public);
        OPENSSL_free(der);
        OPENSSL_free(again);
    }
    ERR_clear_error();
}

/* Cut anywhere it is refused; with another point it is refused or another key. */
static void test_damaged_public_key(void **state)
{
    enum { POINT_AT = 26 };
    EVP_PKEY *key = make_key("EC", "P-256", NULL, NULL);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    (void)state;
    for (int i = 0; i < len; i++) {
        const unsigned char *at = der;

        assert_null(d2i_PUBKEY(NULL, &at, i));
    }
    for (int i = POINT_AT; i < len; i++) {
        const unsigned char *at = der;
        EVP_PKEY *public;

        der[i] ^= 1;
        public = d2i_PUBKEY(NULL, &at, len);
        if (public && EVP_PKEY_eq(key, public) == 1)
            fail_msg("byte %d", i);
        EVP_PKEY_free(public);
        der[i] ^= 1;
    }
    EVP_PKEY_free(key);
    OPENSSL_free(der);
    ERR_clear_error();
}

static void test_random(void **state)
{
    unsigned char a[16] = {0}, b[16] = {0};

    (void)state;
    assert_int_equal(RAND_bytes(a, sizeof(a)), 1);
    assert_int_equal(RAND_bytes(b, sizeof(b)), 1);
    assert_memory_not_equal(a, b, sizeof(a));
}

/* Only what the provider tells of its groups makes them known. */
static void test_groups(void **state)
{
    char groups[] = "X25519:P-256"; /* the macro casts const away */
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    (void)state;
    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set1_groups_list(ctx, groups), 1);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_public_keys),
        cmocka_unit_test(test_damaged_public_key),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_groups),
    };

    algorithms_limit();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
