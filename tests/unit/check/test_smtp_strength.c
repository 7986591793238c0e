/* SPDX-License-Identifier: MIT */
#include "check/smtp_strength.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/ssl.h>

#include "check/mx_trust.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

static struct pki_identity *rsa, *ec;
static struct mx_trust *trust;

static int make_identities(void **state)
{
    const struct pki_request request = {.common_name = "leaf", .names = "DNS:mx.example"};
    struct err err;

    pki_enter_directory(state);
    rsa = pki_issue(&request, "RSA-2048", NULL);
    ec = pki_issue(&request, "P-256", NULL);
    pki_write("roots.pem", ec->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    return 0;
}

static int free_identities(void **state)
{
    mx_trust_free(trust);
    pki_free(rsa);
    pki_free(ec);
    return pki_leave_directory(state);
}

/* The group whose prime this is, with the generator 2; takes the prime. */
static EVP_PKEY *group_of(BIGNUM *prime)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    BIGNUM *generator = BN_new();
    EVP_PKEY *group = NULL;
    OSSL_PARAM *params;

    assert_int_equal(BN_set_word(generator, 2), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_P, prime), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_G, generator), 1);
    params = OSSL_PARAM_BLD_to_param(build);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &group, EVP_PKEY_KEY_PARAMETERS, params), 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    BN_free(generator);
    BN_free(prime);
    return group;
}

static int staple_any(SSL *ssl, void *context)
{
    unsigned char *octets = OPENSSL_memdup("an answer", 9);

    (void)context;
    return SSL_set_tlsext_status_ocsp_resp(ssl, octets, 9) == 1 ? SSL_TLSEXT_ERR_OK
                                                                : SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct strength_row {
    const char *suites;
    int version; /* the newest of the server's */
    enum { KEY_EC, KEY_RSA } key;
    int dh_bits;
    enum { SENDS_NO_STAPLE, SENDS_STAPLE } staple;
    enum { SIGNS_AS_ASKED, SIGNS_SHA1 } signatures;
    struct smtp_strength strength;
    bool is_refused, is_refused_narrowly;
};

static SSL_CTX *row_server(const struct strength_row *row)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    const struct pki_identity *identity = row->key == KEY_RSA ? rsa : ec;
    char suites[200] = "@SECLEVEL=0:", sha1[] = "RSA+SHA1";

    strcat(suites, row->suites);
    assert_int_equal(SSL_CTX_set_cipher_list(server, suites), 1);
    SSL_CTX_set_options(server, SSL_OP_CIPHER_SERVER_PREFERENCE);
    assert_int_equal(SSL_CTX_set_min_proto_version(server, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(server, row->version), 1);
    assert_int_equal(SSL_CTX_use_certificate(server, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, identity->key), 1);
    if (row->dh_bits > 0)
        assert_int_equal(
            SSL_CTX_set0_tmp_dh_pkey(server, group_of(row->dh_bits == 1024
                                                          ? BN_get_rfc2409_prime_1024(NULL)
                                                          : BN_get_rfc3526_prime_2048(NULL))),
            1);
    if (row->staple == SENDS_STAPLE)
        SSL_CTX_set_tlsext_status_cb(server, staple_any);
    if (row->signatures == SIGNS_SHA1)
        assert_int_equal(SSL_CTX_set1_sigalgs_list(server, sha1), 1);
    return server;
}

/* Returns whether both ends say that the handshake is done; the strength is the client's. */
static bool shake_hands(SSL_CTX *client_tls, SSL_CTX *server_tls, struct smtp_strength *strength)
{
    SSL *client = SSL_new(client_tls), *server = SSL_new(server_tls);
    BIO *near = NULL, *far = NULL;
    bool is_done = false;

    assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    assert_int_equal(SSL_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp), 1);
    for (int i = 0; i < 10 && !is_done; i++) {
        int near_done = SSL_do_handshake(client), far_done = SSL_do_handshake(server);
        is_done = near_done == 1 && far_done == 1;
    }
    if (is_done)
        smtp_strength_read(client, strength);
    SSL_free(client);
    SSL_free(server);
    return is_done;
}

static void tells_what_stricter_senders_refuse(void **state)
{
    static const struct strength_row rows[] = {
        {"ALL",
         TLS1_3_VERSION,
         KEY_EC,
         0,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "TLS_AES_256_GCM_SHA384"},
         false,
         false},
        {"ALL",
         TLS1_3_VERSION,
         KEY_EC,
         0,
         SENDS_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "TLS_AES_256_GCM_SHA384", .has_staple = true},
         false,
         false},
        {"ECDHE-ECDSA-AES128-GCM-SHA256",
         TLS1_2_VERSION,
         KEY_EC,
         0,
         SENDS_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "ECDHE-ECDSA-AES128-GCM-SHA256", .has_staple = true},
         false,
         false},
        {"ECDHE-RSA-CHACHA20-POLY1305",
         TLS1_2_VERSION,
         KEY_RSA,
         0,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "ECDHE-RSA-CHACHA20-POLY1305"},
         false,
         false},
        {"ECDHE-RSA-AES128-SHA256",
         TLS1_2_VERSION,
         KEY_RSA,
         0,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "ECDHE-RSA-AES128-SHA256", .is_old_suite = true},
         false,
         true},
        {"AES128-GCM-SHA256",
         TLS1_2_VERSION,
         KEY_RSA,
         0,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "AES128-GCM-SHA256", .is_old_suite = true},
         false,
         true},
        {"DHE-RSA-AES128-GCM-SHA256",
         TLS1_2_VERSION,
         KEY_RSA,
         2048,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "DHE-RSA-AES128-GCM-SHA256", .is_old_suite = true, .dh_bits = 2048},
         false,
         true},
        {"DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
         TLS1_2_VERSION,
         KEY_RSA,
         1024,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "DHE-RSA-AES128-GCM-SHA256", .is_old_suite = true, .dh_bits = 1024},
         false,
         false},
        {"ECDHE-RSA-AES128-GCM-SHA256",
         TLS1_2_VERSION,
         KEY_RSA,
         0,
         SENDS_NO_STAPLE,
         SIGNS_SHA1,
         {.suite = "ECDHE-RSA-AES128-GCM-SHA256", .signs_sha1 = true},
         true,
         false},
        {"ECDHE-RSA-AES128-SHA",
         TLS1_1_VERSION,
         KEY_RSA,
         0,
         SENDS_NO_STAPLE,
         SIGNS_AS_ASKED,
         {.suite = "ECDHE-RSA-AES128-SHA", .is_old_suite = true},
         false,
         true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct smtp_strength *want = &rows[i].strength;
        struct smtp_strength seen = {0}, unseen;
        SSL_CTX *server = row_server(&rows[i]);

        if (!shake_hands(mx_trust_context(trust), server, &seen))
            fail_msg("row %zu: no handshake", i);
        if (strcmp(seen.suite, want->suite) != 0 || seen.is_old_suite != want->is_old_suite ||
            seen.lacks_renegotiation || seen.signs_sha1 != want->signs_sha1 ||
            seen.dh_bits != want->dh_bits || seen.has_staple != want->has_staple)
            fail_msg("row %zu: found %s, old %d, renegotiation %d, SHA-1 %d, %d bits, staple %d", i,
                     seen.suite, seen.is_old_suite, !seen.lacks_renegotiation, seen.signs_sha1,
                     seen.dh_bits, seen.has_staple);
        if (smtp_strength_is_refused(&seen) != rows[i].is_refused)
            fail_msg("row %zu: refused: expected %d", i, rows[i].is_refused);
        if (shake_hands(mx_trust_narrow_context(trust), server, &unseen) ==
            rows[i].is_refused_narrowly)
            fail_msg("row %zu: narrowly refused: expected %d", i, rows[i].is_refused_narrowly);
        SSL_CTX_free(server);
    }
}

static void senders_need_secure_renegotiation(void **state)
{
    const struct smtp_strength old = {.lacks_renegotiation = true}, none = {0};

    (void)state;
    assert_true(smtp_strength_is_refused(&old));
    assert_false(smtp_strength_is_refused(&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_stricter_senders_refuse),
        cmocka_unit_test(senders_need_secure_renegotiation),
    };

    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
