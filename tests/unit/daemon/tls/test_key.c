/* SPDX-License-Identifier: MIT */
#include "daemon/tls/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "daemon/tls/provider_filter.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

static const struct pki_request request = {.common_name = "leaf"};

/* The DER in a PEM text. */
struct bytes {
    unsigned char *der;
    long len;
};

static struct bytes bytes_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    char *name, *header;
    struct bytes bytes;

    assert_int_equal(PEM_read_bio(bio, &name, &header, &bytes.der, &bytes.len), 1);
    OPENSSL_free(name);
    OPENSSL_free(header);
    BIO_free(bio);
    return bytes;
}

static struct key *key_of(const char *pem)
{
    struct bytes bytes = bytes_of(pem);
    struct err err;
    struct key *key = key_decode(bytes.der, (size_t)bytes.len, &err);

    assert_non_null(key);
    OPENSSL_free(bytes.der);
    return key;
}

/* Whether a signature by `signer` is good by `public`. */
static bool verifies(EVP_PKEY *signer, EVP_PKEY *public)
{
    static const unsigned char text[] = "v=STSv1; id=1";
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    const char *digest = EVP_PKEY_is_a(signer, "ED25519") ? NULL : "SHA256";
    unsigned char signature[512];
    size_t len = sizeof(signature);
    bool is_good;

    assert_int_equal(EVP_DigestSignInit_ex(signing, NULL, digest, NULL, NULL, signer, NULL), 1);
    assert_int_equal(EVP_DigestSign(signing, signature, &len, text, sizeof(text)), 1);
    assert_int_equal(EVP_DigestVerifyInit_ex(verifying, NULL, digest, NULL, NULL, public, NULL), 1);
    is_good = EVP_DigestVerify(verifying, signature, len, text, sizeof(text)) == 1;
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return is_good;
}

/* want_one: that what signs is the certificate's own public key */
static void check_good(const char *key_pem, struct bytes certificate,
                       const struct pki_identity *identity, bool want_one, size_t row)
{
    struct key *key = key_of(key_pem);
    struct err err;
    X509 *decoded;
    EVP_PKEY *signer;

    if (key_decode_certificate(key, certificate.der, (size_t)certificate.len, &decoded, &signer,
                               &err) != 0)
        fail_msg("row %zu: %s", row, err.msg);
    if ((signer == X509_get0_pubkey(decoded)) != want_one)
        fail_msg("row %zu: wanted %d", row, want_one);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(decoded), identity->key), 1);
    assert_true(verifies(signer, identity->key));
    assert_true(verifies(identity->key, X509_get0_pubkey(decoded)));
    EVP_PKEY_free(signer);
    X509_free(decoded);
    key_free(key);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *kind;
        int form; /* of the key; -1: as it was issued */
        bool want_one;
    } rows[] = {
        {"P-256", -1, true},
        {"P-256", PKI_KEY_TRADITIONAL, true},
        {"P-256", PKI_KEY_PKCS8_WITHOUT_POINT, false},
        {"P-384", -1, false},
        {"RSA-2048", -1, false},
        {"ED25519", -1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pki_identity *identity = pki_issue(&request, rows[i].kind, NULL);
        struct bytes certificate = bytes_of(identity->certificate_pem);
        char *pem = rows[i].form < 0
                        ? strdup(identity->key_pem)
                        : pki_key_render(identity->key, (enum pki_key_form)rows[i].form);

        check_good(pem, certificate, identity, rows[i].want_one, i);
        free(pem);
        OPENSSL_free(certificate.der);
        pki_free(identity);
    }
    ERR_clear_error();
}

/* The same point in other bytes than the private key has it. */
static void test_compressed_point(void **state)
{
    struct pki_identity *identity = pki_issue(&request, "P-256", NULL);
    EVP_PKEY *compressed = EVP_PKEY_dup(identity->key);
    struct bytes certificate = {0};

    (void)state;
    assert_int_equal(EVP_PKEY_set_utf8_string_param(
                         compressed, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
                     1);
    assert_int_equal(X509_set_pubkey(identity->certificate, compressed), 1);
    certificate.len = i2d_X509(identity->certificate, &certificate.der);
    assert_true(certificate.len > 0);
    check_good(identity->key_pem, certificate, identity, false, 0);
    OPENSSL_free(certificate.der);
    EVP_PKEY_free(compressed);
    pki_free(identity);
    ERR_clear_error();
}

static void check_refused(struct key *key, struct bytes certificate, enum err_code want_code,
                          const char *want_message)
{
    struct err err = {0};
    EVP_PKEY *signer;
    X509 *decoded;

    assert_int_equal(key_decode_certificate(key, certificate.der, (size_t)certificate.len, &decoded,
                                            &signer, &err),
                     -1);
    assert_string_equal(err.msg, want_message);
    assert_int_equal(err.code, want_code);
    ERR_clear_error();
}

static void test_other_certificates(void **state)
{
    static const unsigned char group[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const char mismatch[] = "the private key is not that of the certificate";
    struct pki_identity *identity = pki_issue(&request, "P-256", NULL);
    struct pki_identity *other = pki_issue(&request, "P-256", NULL);
    struct pki_identity *rsa = pki_issue(&request, "RSA-2048", NULL);
    struct bytes own = bytes_of(identity->certificate_pem);
    struct bytes others = bytes_of(other->certificate_pem), rsas = bytes_of(rsa->certificate_pem);
    struct key *key = key_of(identity->key_pem);
    unsigned char *in_group;

    (void)state;
    check_refused(key, others, ERR_CONFIG, mismatch);
    check_refused(key, rsas, ERR_CONFIG, mismatch);
    check_refused(key, (struct bytes){own.der, own.len - 1}, ERR_SYNTAX,
                  "a certificate is damaged");
    in_group = memmem(own.der, (size_t)own.len, group, sizeof(group));
    assert_non_null(in_group);
    in_group[sizeof(group) - 1]--; /* these bytes are a point of another group, says this one */
    check_refused(key, own, ERR_CONFIG, mismatch);
    key_free(key);
    OPENSSL_free(own.der), OPENSSL_free(others.der), OPENSSL_free(rsas.der);
    pki_free(identity), pki_free(other), pki_free(rsa);
}

static void test_damaged_keys(void **state)
{
    struct pki_identity *identity = pki_issue(&request, "P-256", NULL);
    struct bytes certificate = bytes_of(identity->certificate_pem), der;
    struct key *key;
    struct err err;

    (void)state;
    der = bytes_of(identity->key_pem);
    assert_null(key_decode(der.der, (size_t)der.len - 1, &err));
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_string_equal(err.msg, "the private key is damaged or of an unknown kind");
    der.der[der.len - 1] ^= 1; /* its point is none */
    key = key_decode(der.der, (size_t)der.len, &err);
    assert_non_null(key);
    check_refused(key, certificate, ERR_CONFIG, "the private key is damaged or of an unknown kind");
    key_free(key);
    OPENSSL_free(der.der);
    OPENSSL_free(certificate.der);
    pki_free(identity);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_compressed_point),
        cmocka_unit_test(test_other_certificates),
        cmocka_unit_test(test_damaged_keys),
    };

    provider_filter_install();
    return cmocka_run_group_tests_name("tls.key", tests, NULL, NULL);
}
