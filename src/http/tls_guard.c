/* SPDX-License-Identifier: MIT */
#include "http/tls_guard.h"

#include <openssl/ssl.h>

#include "http/connection.h"

/* Called before each operation of h2o's BIO, and after it with BIO_CB_RETURN set as well. */
static long on_bio(BIO *bio, int operation, const char *argument, size_t len, int integer,
                   long number, int result, size_t *processed)
{
    (void)argument, (void)len, (void)integer, (void)number, (void)processed;
    if (operation == BIO_CB_READ)
        BIO_clear_retry_flags(bio); /* U12 */
    return result;
}

static void on_info(const SSL *ssl, int where, int result)
{
    (void)result;
    /* Before the first read, and the first moment at which h2o has set the BIO. */
    if (where & SSL_CB_HANDSHAKE_START)
        BIO_set_callback_ex(SSL_get_rbio(ssl), on_bio);
    if (where & SSL_CB_HANDSHAKE_DONE)
        connection_established(connection_of_ssl(ssl));
}

void tls_guard_set(SSL_CTX *ctx)
{
    SSL_CTX_set_info_callback(ctx, on_info);
}
