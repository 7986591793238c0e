/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a TLS client that sends no SNI, as slowhttptest does not: it sends SERVER_NAME.
 * A proxy in between would read and write in the attack's stead, and at speed.
 */
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdlib.h>

SSL *SSL_new(SSL_CTX *context)
{
    SSL *ssl = ((SSL * (*)(SSL_CTX *)) dlsym(RTLD_NEXT, "SSL_new"))(context);

    if (ssl)
        SSL_set_tlsext_host_name(ssl, getenv("SERVER_NAME"));
    return ssl;
}
