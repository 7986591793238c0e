/* SPDX-License-Identifier: MIT */
#include "check/tls_bound.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

/* NOLINTBEGIN(readability-non-const-parameter): the type is OpenSSL's. */
static long tls_bound_on_bio(BIO *bio, int operation, const char *bytes, size_t size, int number,
                             long argument, int result, size_t *n_done)
/* NOLINTEND(readability-non-const-parameter) */
{
    struct tls_bound *bound = (struct tls_bound *)(void *)BIO_get_callback_arg(bio);

    (void)bytes;
    (void)size;
    (void)number;
    (void)argument;
    if (operation == (BIO_CB_READ | BIO_CB_RETURN) && result > 0)
        bound->n_octets += *n_done;
    if (operation != BIO_CB_READ || bound->n_octets < bound->max)
        return result;
    bound->is_exceeded = true;
    BIO_clear_retry_flags(bio); /* of the read before: this one is not to be tried again */
    return -1;
}

void tls_bound_watch(struct tls_bound *bound, const SSL *ssl, size_t max)
{
    BIO *bio = SSL_get_rbio(ssl);

    *bound = (struct tls_bound){.max = max};
    BIO_set_callback_arg(bio, (char *)(void *)bound);
    BIO_set_callback_ex(bio, tls_bound_on_bio);
}
