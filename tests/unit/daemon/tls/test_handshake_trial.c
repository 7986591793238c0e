/* SPDX-License-Identifier: MIT */
#include "daemon/tls/handshake_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/provider_filter.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

static struct handshake_trial *trial;
static struct pki_identity *root, *intermediate;

static const struct pki_request authority = {.common_name = "R1", .role = PKI_AUTHORITY};
static const struct pki_request leaf = {.common_name = "leaf", .names = "DNS:a.example"};

static int set_up(void **state)
{
    const struct pki_request above = {.common_name = "root", .role = PKI_AUTHORITY};

    pki_enter_directory(state);
    trial = handshake_trial_new();
    root = pki_issue(&above, "P-256", NULL);
    intermediate = pki_issue(&authority, "P-256", root);
    return 0;
}

static int tear_down(void **state)
{
    handshake_trial_free(trial);
    handshake_trial_free(NULL);
    pki_free(root);
    pki_free(intermediate);
    return pki_leave_directory(state);
}

/* Tries a chain.pem and key.pem that were written; they must load. */
static void check_written(const char *what, const char *want)
{
    struct certificate *certificate;
    struct err err = {0};

    if (pki_load("chain.pem", "key.pem", &certificate, &err) != 0)
        fail_msg("%s: %s", what, err.msg);
    if (handshake_trial_run(trial, certificate, &err) != (want ? -1 : 0) ||
        strcmp(err.msg, want ? want : "") != 0)
        fail_msg("%s: wanted '%s', saw '%s'", what, want ? want : "", err.msg);
    if (want)
        assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_equal(ERR_peek_error(), 0);
    certificate_unref(certificate);
}

static void check_issued(const char *kind, const struct pki_request *request,
                         const struct pki_identity *issuer, const char *want)
{
    struct pki_identity *identity = pki_issue(request, kind, issuer);

    pki_write("chain.pem", identity->certificate_pem, issuer->certificate_pem, NULL);
    pki_write("key.pem", identity->key_pem, NULL);
    check_written(kind, want);
    pki_free(identity);
}

#define USELESS "senders cannot use the certificate: "
#define NO_SIGNATURE USELESS "a handshake of TLS 1.3 fails: no suitable signature algorithm"
#define WRITTEN_OUT USELESS "it writes out an elliptic curve instead of naming it"

static void test_keys(void **state)
{
    static const struct {
        const char *kind, *want;
    } rows[] = {
        {"P-256", NULL},
        {"P-384", NULL},
        {"P-521", NULL},
        {"RSA-2048", NULL},
        {"ED25519", NULL},
        {"RSA-PSS-SHA256", NULL},
        {"RSA-PSS-SHA384", NO_SIGNATURE},
        {"RSA-PSS-SHA512", NO_SIGNATURE},
        {"ED448", NO_SIGNATURE},
        {"P-224", NO_SIGNATURE},
        {"secp256k1", NO_SIGNATURE},
        {"brainpoolP256r1", NO_SIGNATURE},
        {"brainpoolP384r1", NO_SIGNATURE},
        {"sect283r1", NO_SIGNATURE},
        {"explicit P-256", WRITTEN_OUT},
        {"explicit P-384", WRITTEN_OUT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_issued(rows[i].kind, &leaf, intermediate, rows[i].want);
}

static void test_chains(void **state)
{
    const struct pki_request by_sha1 = {
        .common_name = "leaf", .names = "DNS:a.example", .digest = "SHA1"};
    const struct pki_request by_sha384 = {
        .common_name = "leaf", .names = "DNS:a.example", .digest = "SHA384"};
    struct pki_identity *weak = pki_issue(&authority, "RSA-1024", root);
    struct pki_identity *explicit = pki_issue(&authority, "explicit P-256", root);
    struct pki_identity *p384 = pki_issue(&authority, "P-384", root);

    (void)state;
    check_issued("P-256", &by_sha384, intermediate, NULL);
    check_issued("P-256", &by_sha1, intermediate, USELESS "OpenSSL refuses it: ca md too weak");
    check_issued("P-256", &leaf, weak, USELESS "OpenSSL refuses it: ca key too small");
    check_issued("P-256", &leaf, explicit, WRITTEN_OUT);
    check_issued("P-256", &leaf, p384, NULL);
    check_issued("P-384", &leaf, p384, NULL);
    pki_free(weak), pki_free(explicit), pki_free(p384);
}

/* The last octets of a certificate are its signature. */
static void test_damaged_signature(void **state)
{
    struct pki_identity *identity = pki_issue(&leaf, "P-256", intermediate);
    const ASN1_BIT_STRING *signature;
    char *damaged;

    (void)state;
    X509_get0_signature(&signature, NULL, identity->certificate);
    ((unsigned char *)(uintptr_t)ASN1_STRING_get0_data(signature))[10] ^= 1;
    damaged = pki_certificate_render(identity->certificate);
    pki_write("chain.pem", damaged, intermediate->certificate_pem, NULL);
    pki_write("key.pem", identity->key_pem, NULL);
    check_written("damaged", USELESS "its signature is not its issuer's");
    /* Where the issuer is not there, or another is, that is not known. */
    pki_write("chain.pem", damaged, NULL);
    check_written("alone", NULL);
    pki_write("chain.pem", damaged, root->certificate_pem, NULL);
    check_written("another's", NULL);
    free(damaged);
    pki_free(identity);
}

/* Beside its public point; the decoder does not look at both together. */
static void test_wrong_scalar(void **state)
{
    struct pki_identity *identity = pki_issue(&leaf, "P-256", intermediate);
    struct pki_identity *other = pki_issue(&leaf, "P-256", intermediate);
    char *keys[] = {pki_key_render(identity->key, PKI_KEY_TRADITIONAL),
                    pki_key_render(other->key, PKI_KEY_TRADITIONAL)};
    char *mixed = strdup(keys[0]);
    size_t first = strlen("-----BEGIN EC PRIVATE KEY-----\n");

    (void)state;
    /* The first 42 of 44 characters that hold the scalar alone, after 9 octets in 12 characters. */
    memcpy(mixed + first + 12, keys[1] + first + 12, 36);
    pki_write("chain.pem", identity->certificate_pem, intermediate->certificate_pem, NULL);
    pki_write("key.pem", mixed, NULL);
    check_written("mixed", USELESS "the private key is damaged");
    pki_write("key.pem", keys[0], NULL);
    check_written("whole", NULL);
    free(mixed);
    free(keys[0]), free(keys[1]);
    pki_free(identity), pki_free(other);
}

/* OpenSSL's clients take 100 kB of certificates, a server sends any number. */
static void test_many_names(void **state)
{
    static const struct {
        size_t n;
        const char *want;
    } rows[] = {
        {3000, NULL},
        {4000, USELESS "a handshake of TLS 1.3 fails: excessive message size"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *names = malloc(rows[i].n * 40), *to = names;
        struct pki_request request = {.common_name = "leaf", .names = names};

        for (size_t j = 0; j < rows[i].n; j++)
            to += sprintf(to, "%sDNS:mta-sts.customer-%04zu.example", j == 0 ? "" : ",", j);
        check_issued("P-256", &request, intermediate, rows[i].want);
        free(names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_damaged_signature),
        cmocka_unit_test(test_wrong_scalar),
        cmocka_unit_test(test_many_names),
    };

    provider_filter_install();
    return cmocka_run_group_tests_name("tls.handshake_trial", tests, set_up, tear_down);
}
