/* SPDX-License-Identifier: MIT */
#include "daemon/tls/provider_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/base/slice.h"
#include "support/pki.h"

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

/* OpenSSL 3.2 and later need no filter; another executable of this test claims to run with it. */
static bool is_filtered(void)
{
    return OpenSSL_version_num() < 0x30200000L;
}

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
        if (rows[i].has(rows[i].name) != (rows[i].want || !is_filtered()))
            fail_msg("row %zu, %s: wanted %d", i, rows[i].name, rows[i].want || !is_filtered());
    ERR_clear_error();
}

/* Of the names from before there were providers, these are asked for. */
static void test_signatures(void **state)
{
    static const char *const kinds[] = {"P-256", "RSA-2048", "ED25519"};
    static const struct pki_request request = {.common_name = "leaf"};

    (void)state;
    assert_int_equal(!EVP_get_cipherbyname("AES-128-CBC"), is_filtered());
    assert_int_equal(!EVP_get_digestbyname("SHA3-256"), is_filtered());
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct pki_identity *identity = pki_issue(&request, kinds[i], NULL);
        int security_bits;

        assert_int_equal(X509_verify(identity->certificate, identity->key), 1);
        assert_int_equal(
            X509_get_signature_info(identity->certificate, NULL, NULL, &security_bits, NULL), 1);
        assert_int_equal(security_bits, 128);
        pki_free(identity);
    }
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
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_groups),
    };

    provider_filter_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
