/* SPDX-License-Identifier: MIT */
#include "daemon/tls/handshake_trial.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/context.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    TURNS_MAX = 8,               /* of each side; a handshake takes 3 */
    COMMON_SIZE_MAX = 48 * 1024, /* of leaf and chain; OpenSSL's clients take 100 kB */
    RSA_BITS_MAX = 4096,         /* of a common kind */
    SIGNATURE_MAX = 1024,
};

struct handshake_trial {
    SSL_CTX *server;
    SSL_CTX *client;
    struct err err; /* why there is no context; then no certificate is of any use */
};

/* The certificate stands in the connection itself, so that threads can share the context. */
static struct certificate *trial_select(void *context, SSL *ssl, const char *server_name)
{
    (void)context;
    (void)server_name;
    return certificate_ref(SSL_get_app_data(ssl));
}

struct handshake_trial *handshake_trial_new(void)
{
    struct handshake_trial *trial = memory_alloc(sizeof(*trial));

    *trial = (struct handshake_trial){.client = SSL_CTX_new(TLS_client_method())};
    if (!trial->client)
        err_set(&trial->err, ERR_CRYPTO, "no TLS context can be made for a client");
    else if (tls_context_new(trial_select, NULL, &trial->server, &trial->err) == 0)
        SSL_CTX_set_security_level(trial->client, 1); /* whatever openssl.cnf says */
    return trial;
}

void handshake_trial_free(struct handshake_trial *trial)
{
    if (!trial)
        return;
    tls_context_free(trial->server);
    SSL_CTX_free(trial->client);
    free(trial);
}

/* OpenSSL's first error is the reason, if it has any; what follows are its callers'. */
static int trial_fail(const char *what, struct err *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    err_set(err, ERR_CRYPTO, "senders cannot use the certificate: %s%s%s", what, reason ? ": " : "",
            reason ? reason : "");
    ERR_clear_error();
    return -1;
}

static void trial_connect(SSL *client, SSL *server)
{
    BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());

    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_bio(server, to_server, to_client);
}

/* Returns whether the side is done, or waits for the other. */
static bool trial_turn(SSL *ssl)
{
    int result = SSL_do_handshake(ssl);

    return result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

static bool trial_shake_hands(const struct handshake_trial *trial, struct certificate *certificate,
                              int version)
{
    SSL *client = SSL_new(trial->client), *server = SSL_new(trial->server);
    bool is_done;

    SSL_set_app_data(server, certificate);
    SSL_set_min_proto_version(client, version);
    SSL_set_max_proto_version(client, version);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    trial_connect(client, server);
    for (int i = 0; i < TURNS_MAX && trial_turn(client) && trial_turn(server); i++)
        ;
    is_done = SSL_is_init_finished(client) && SSL_is_init_finished(server);
    SSL_free(client);
    SSL_free(server);
    return is_done;
}

static int trial_run_handshakes(const struct handshake_trial *trial,
                                struct certificate *certificate, struct err *err)
{
    if (!trial_shake_hands(trial, certificate, TLS1_3_VERSION))
        return trial_fail("a handshake of TLS 1.3 fails", err);
    if (!trial_shake_hands(trial, certificate, TLS1_2_VERSION))
        return trial_fail("a handshake of TLS 1.2 fails", err);
    return 0;
}

/* RFC 8422 5.1.1 and RFC 5480 2.1.1 want a curve's name. OpenSSL 3.0 says so only if it verifies.
 */
static bool has_explicit_parameters(const X509 *certificate)
{
    int is_explicit = 0;

    EVP_PKEY_get_int_param(X509_get0_pubkey(certificate),
                           OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
    return is_explicit != 0;
}

static bool key_is_common(const EVP_PKEY *key)
{
    static const char *const groups[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char group[32];

    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        if (strcmp(group, groups[i]) == 0)
            return true;
    return false;
}

/* Whether the public half is that of the private one: decoders take a scalar with a wrong bit. */
static bool pair_belongs_together(EVP_PKEY *pair)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
    bool is_good = EVP_PKEY_pairwise_check(context) == 1;

    EVP_PKEY_CTX_free(context);
    return is_good;
}

/* The same by a signature: OpenSSL's check of an RSA pair also looks for primes, for 30 ms. */
static bool pair_signs_and_verifies(EVP_PKEY *pair)
{
    static const unsigned char text[] = "v=STSv1";
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof(signature);
    bool is_good =
        EVP_DigestSignInit_ex(signing, NULL, "SHA256", NULL, NULL, pair, NULL) == 1 &&
        EVP_DigestSign(signing, signature, &len, text, sizeof(text)) == 1 &&
        EVP_DigestVerifyInit_ex(verifying, NULL, "SHA256", NULL, NULL, pair, NULL) == 1 &&
        EVP_DigestVerify(verifying, signature, len, text, sizeof(text)) == 1;

    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return is_good;
}

/* `pair` has the certificate's public half: certificate_load() compared it. */
static bool key_is_damaged(EVP_PKEY *pair)
{
    bool is_good =
        EVP_PKEY_is_a(pair, "RSA") ? pair_signs_and_verifies(pair) : pair_belongs_together(pair);

    ERR_clear_error();
    return !is_good;
}

/*
 * Whether the first certificate of the chain signed the leaf; without one, or with another's (which
 * certificate_check() says), there is nothing to verify. Nor is a signature by P-384 verified: it
 * takes OpenSSL 1 ms, seven times as long as all else, for an accident that nobody has seen.
 */
static bool leaf_is_damaged(X509 *leaf, X509 *issuer)
{
    EVP_PKEY *key = issuer ? X509_get0_pubkey(issuer) : NULL;
    bool is_damaged;

    if (!key || X509_check_issued(issuer, leaf) != X509_V_OK ||
        (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) > 256))
        return false;
    is_damaged = X509_verify(leaf, key) != 1;
    ERR_clear_error();
    return is_damaged;
}

/* `ssl` has the certificate. */
static int trial_judge(const struct handshake_trial *trial, SSL *ssl,
                       struct certificate *certificate, struct err *err)
{
    X509 *leaf = SSL_get_certificate(ssl);
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    int size = i2d_X509(leaf, NULL);
    STACK_OF(X509) *chain = NULL;
    bool is_explicit = has_explicit_parameters(leaf);

    SSL_get0_chain_certs(ssl, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        size += i2d_X509(sk_X509_value(chain, i), NULL);
        is_explicit |= has_explicit_parameters(sk_X509_value(chain, i));
    }
    ERR_clear_error();
    if (is_explicit)
        return trial_fail("it writes out an elliptic curve instead of naming it", err);
    if (leaf_is_damaged(leaf, sk_X509_value(chain, 0)))
        return trial_fail("its signature is not its issuer's", err);
    if (!key_is_common(key) || size > COMMON_SIZE_MAX)
        return trial_run_handshakes(trial, certificate, err);
    return key_is_damaged(SSL_get_privatekey(ssl)) ? trial_fail("the private key is damaged", err)
                                                   : 0;
}

int handshake_trial_run(const struct handshake_trial *trial, struct certificate *certificate,
                        struct err *err)
{
    SSL *ssl;
    int result;

    if (!trial->server) {
        *err = trial->err;
        return -1;
    }
    ssl = SSL_new(trial->server);
    result = certificate_install(certificate, ssl) == 0 ? trial_judge(trial, ssl, certificate, err)
                                                        : trial_fail("OpenSSL refuses it", err);
    SSL_free(ssl);
    ERR_clear_error();
    return result;
}
