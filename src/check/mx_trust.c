/* SPDX-License-Identifier: MIT */
#include "check/mx_trust.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "check/tls_bound.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"

struct mx_trust {
    SSL_CTX *context, *narrow;
};

static int trust_set_up_narrow(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                   SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=0") == 1
               ? 0
               : -1;
}

static int trust_set_up(SSL_CTX *context)
{
    /* Level 0 and DEFAULT: old versions of TLS with old digests, but no anonymous ciphers. */
    if (SSL_CTX_set_min_proto_version(context, TLS1_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") != 1)
        return -1;
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    tls_bound_primes(context);
    return SSL_CTX_dane_enable(context) == 1 ? 0 : -1; /* SHA-512 before SHA-256 */
}

/* Not SSL_CTX_set_default_verify_paths(): for each issuer that is no root, as intermediates are, it
 * has the whole folder of certificates read. */
static int trust_load_default(SSL_CTX *context)
{
    X509_STORE *roots = SSL_CTX_get_cert_store(context);
    X509_LOOKUP *file = X509_STORE_add_lookup(roots, X509_LOOKUP_file());
    X509_LOOKUP *folder = X509_STORE_add_lookup(roots, X509_LOOKUP_hash_dir());

    if (!file || !folder)
        return 0;
    /* Where one of the two does not exist, the other has the roots. */
    X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT);
    X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT);
    ERR_clear_error();
    return 1;
}

struct mx_trust *mx_trust_new(const char *ca_file, struct err *err)
{
    struct mx_trust *trust = memory_alloc(sizeof(*trust));
    int is_loaded;

    trust->context = SSL_CTX_new(TLS_client_method());
    trust->narrow = SSL_CTX_new(TLS_client_method());
    if (trust->context == NULL || trust_set_up(trust->context) != 0 || trust->narrow == NULL ||
        trust_set_up_narrow(trust->narrow) != 0) {
        err_set(err, ERR_CRYPTO, "OpenSSL has no TLS for this: %s",
                ERR_reason_error_string(ERR_peek_last_error()));
        mx_trust_free(trust);
        return NULL;
    }
    is_loaded = ca_file ? SSL_CTX_load_verify_file(trust->context, ca_file)
                        : trust_load_default(trust->context);
    if (is_loaded != 1) {
        err_set(err, ERR_CRYPTO, "%s: holds no certificates: %s",
                ca_file ? ca_file : "the system's trust store",
                ERR_reason_error_string(ERR_peek_last_error()));
        mx_trust_free(trust);
        return NULL;
    }
    return trust;
}

void mx_trust_free(struct mx_trust *trust)
{
    if (trust == NULL)
        return;
    SSL_CTX_free(trust->context);
    SSL_CTX_free(trust->narrow);
    free(trust);
}

SSL_CTX *mx_trust_context(const struct mx_trust *trust)
{
    return trust->context;
}

SSL_CTX *mx_trust_narrow_context(const struct mx_trust *trust)
{
    return trust->narrow;
}

X509_STORE *mx_trust_roots(const struct mx_trust *trust)
{
    return SSL_CTX_get_cert_store(trust->context);
}
