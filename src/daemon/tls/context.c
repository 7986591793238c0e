/* SPDX-License-Identifier: MIT */
#include "daemon/tls/context.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Whose choice the certificate is; lives as long as the SSL_CTX, which points to it. */
struct chooser {
    tls_select *select;
    void *context;
};

/* OpenSSL 3.0 calls this without an SNI as well, and a second time after a HelloRetryRequest. */
static int choose_certificate(SSL *ssl, int *ret_alert, void *argument)
{
    const struct chooser *chooser = argument;
    const char *server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct certificate *certificate = chooser->select(chooser->context, ssl, server_name);
    int result;

    *ret_alert = SSL_AD_UNRECOGNIZED_NAME;
    if (!certificate)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_alert = SSL_AD_INTERNAL_ERROR;
    result = certificate_install(certificate, ssl);
    ERR_clear_error();
    certificate_unref(certificate);
    return result == 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *argument)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)argument;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret_protocol = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/*
 * Everything is set, defaults too: openssl.cnf changes them. The order is ours, cheapest first, but
 * a client that wants ChaCha20 most has no AES in hardware and gets it. All suites are good, so the
 * client's order would do; but scanners, and those who are sent their findings, want one.
 */
static bool set_suites(SSL_CTX *ctx)
{
    char groups[] = "X25519:P-256"; /* the macros cast const away */
    char signatures[] = "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:"
                        "ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:"
                        "rsa_pss_rsae_sha384:rsa_pss_pss_sha256";

    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(
               ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                         "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1;
}

static void set_behaviour(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_max_early_data(ctx, 0);
    /* A leaf without intermediates would else be looked up in the trust store in each handshake. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
}

int tls_library_check(unsigned long version, struct err *err)
{
    unsigned major = (unsigned)(version >> 28);

    if (major == OPENSSL_VERSION_MAJOR)
        return 0;
    return err_set(err, ERR_CRYPTO,
                   "expected OpenSSL %d, found version %u: install OpenSSL %d (libssl.so.%d), or "
                   "build the daemon with the OpenSSL of this system",
                   OPENSSL_VERSION_MAJOR, major, OPENSSL_VERSION_MAJOR, OPENSSL_VERSION_MAJOR);
}

int tls_context_new(tls_select *select, void *context, struct ssl_ctx_st **ret_ctx, struct err *err)
{
    struct chooser *chooser;
    SSL_CTX *ctx;

    if (tls_library_check(OpenSSL_version_num(), err) != 0)
        return -1;
    ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !set_suites(ctx)) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());

        SSL_CTX_free(ctx);
        ERR_clear_error();
        return err_set(err, ERR_CRYPTO, "no TLS context can be made: %s",
                       reason ? reason : "unknown reason");
    }
    set_behaviour(ctx);
    chooser = memory_alloc(sizeof(*chooser));
    *chooser = (struct chooser){select, context};
    SSL_CTX_set_app_data(ctx, chooser);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(ctx, chooser);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    ERR_clear_error();
    *ret_ctx = ctx;
    return 0;
}

void tls_context_free(struct ssl_ctx_st *ctx)
{
    if (!ctx)
        return;
    free(SSL_CTX_get_app_data(ctx));
    SSL_CTX_free(ctx);
}
