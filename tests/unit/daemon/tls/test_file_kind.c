/* SPDX-License-Identifier: MIT */
#include "daemon/tls/file_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "support/pki.h"

#define HOST "mta-sts.example.com"

static void check_words(struct slice bytes, enum file_wanted wanted, const char *want)
{
    const char *words = file_kind_describe(bytes, wanted);

    ERR_clear_error();
    if (strncmp(words, want, strlen(want)) != 0)
        fail_msg("wanted '%s', saw '%s'", want, words);
}

static void test_texts_of_other_programs(void **state)
{
    static const struct {
        const char *text, *certificate, *key; /* how the words begin, by what is wanted */
    } rows[] = {
        {"", "is empty", "is empty"},
        {" \r\n\t", "is empty", "is empty"},
        {"words", "has no certificate", "has no private key"},
        {"-----BEGIN CERTIFICATE REQUEST-----\n", "is a certificate request",
         "is a certificate req"},
        {"-----BEGIN NEW CERTIFICATE REQUEST-----\n", "is a certificate request", "is a certific"},
        {"-----BEGIN CERTIFICATE-----\nAAAA", "is damaged", "has a certificate, but no private"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA", "has a private key, but no certificate", "is dam"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "has a private key, but no cert", "is dam"},
        {"-----BEGIN PUBLIC KEY-----\n", "has only a public key", "has only a public key"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n", "is an OpenSSH key", "is an OpenSSH key"},
        {"-----BEGIN PKCS7-----\n", "is a PKCS#7 bundle", "is a PKCS#7 bundle"},
        {"-----BEGIN X509 CRL-----\n", "is a list of revoked", "is a list of revoked"},
        {"-----BEGIN TRUSTED CERTIFICATE-----\n", "is a trusted certificate", "is a trusted cert"},
        {"ssh-ed25519 AAAA me@here\n", "is an SSH public key", "is an SSH public key"},
        {"ecdsa-sha2-nistp256 AAAA\n", "is an SSH public key", "is an SSH public key"},
        {"PuTTY-User-Key-File-3: \n", "is a PuTTY key", "is a PuTTY key"},
        {"\xef\xbb\xbf-----BEGIN CERTIFICATE-----", "begins with a byte order mark", "begins with"},
        {"\xff\xfe-", "is text in UTF-16", "is text in UTF-16"},
        {"\xfe\xed\xfe\xed", "is a Java key store", "is a Java key store"},
        {"  -----BEGIN CERTIFICATE-----", "is damaged", "has a certificate"},
        {"-----BEGIN CERTIFICATE-----\\nAAAA", "has '\\n' written out", "has a certificate"},
        {"<!DOCTYPE html>", "is a web page", "is a web page"},
        {"\x30\x03zzz", "has no certificate", "has no private key"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice bytes = slice_of(rows[i].text);

        check_words(bytes, FILE_WANTED_CERTIFICATE, rows[i].certificate);
        check_words(bytes, FILE_WANTED_KEY, rows[i].key);
    }
    check_words(slice_of("-----BEGIN CERTIFICATE-----\n"), FILE_WANTED_BOTH,
                "has a certificate, but no private key; name the key's file");
    check_words(slice_of("-----BEGIN PRIVATE KEY-----\n"), FILE_WANTED_BOTH,
                "has a private key, but no certificate");
}

static void check_der(int len, unsigned char *der, const char *want)
{
    assert_true(len > 0);
    check_words((struct slice){(const char *)der, (size_t)len}, FILE_WANTED_CERTIFICATE, want);
    check_words((struct slice){(const char *)der, (size_t)len}, FILE_WANTED_KEY, want);
    OPENSSL_free(der);
}

static void test_der(void **state)
{
    const struct pki_request request = {.common_name = HOST, .names = "DNS:" HOST};
    struct pki_identity *made = pki_issue(&request, "P-256", NULL);
    X509_REQ *csr = X509_to_X509_REQ(made->certificate, made->key, EVP_sha256());
    PKCS12 *store =
        PKCS12_create("secret", "it", made->key, made->certificate, NULL, 0, 0, 0, 0, 0);
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(made->key);
    X509_SIG *locked = PKCS8_encrypt(-1, EVP_aes_256_cbc(), "secret", 6, NULL, 0, 0, plain);
    unsigned char *der = NULL;
    int len = i2d_X509(made->certificate, &der);

    (void)state;
    check_der(len, der, "is a certificate in DER");
    der = NULL;
    len = i2d_X509_REQ(csr, &der);
    check_der(len, der, "is a certificate request (CSR) in DER");
    der = NULL;
    len = i2d_PKCS12(store, &der);
    check_der(len, der, "is a PKCS#12 file");
    der = NULL;
    len = i2d_PrivateKey(made->key, &der);
    check_der(len, der, "is a private key in DER; ");
    der = NULL;
    len = i2d_X509_SIG(locked, &der);
    check_der(len, der, "is a private key in DER, with a pass phrase");
    X509_SIG_free(locked);
    PKCS8_PRIV_KEY_INFO_free(plain);
    PKCS12_free(store);
    X509_REQ_free(csr);
    pki_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_of_other_programs),
        cmocka_unit_test(test_der),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
