/* SPDX-License-Identifier: MIT */
#include "check/tls_bound.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

enum {
    PRIME_BITS_MAX = 4096,
    GROUP_NAME_SIZE = 64,
};

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

/* Beside OpenSSL's own callback for level 0, which refuses small primes, and all else that no level
 * allows. Keys of groups that a standard names are short, and cost little. */
static int tls_bound_on_security(const SSL *ssl, const SSL_CTX *context, int operation, int bits,
                                 int nid, void *other, void *own)
{
    char name[GROUP_NAME_SIZE];
    size_t len;
    int (*allows)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);

    if (operation == SSL_SECOP_TMP_DH && EVP_PKEY_get_bits(other) > PRIME_BITS_MAX &&
        EVP_PKEY_get_group_name(other, name, sizeof(name), &len) != 1)
        return 0;
    memcpy(&allows, &own, sizeof(allows)); /* C has no cast from an object to a function */
    return allows(ssl, context, operation, bits, nid, other, NULL);
}

void tls_bound_primes(SSL_CTX *context)
{
    int (*allows)(const SSL *, const SSL_CTX *, int, int, int, void *, void *) =
        SSL_CTX_get_security_callback(context);
    void *own;

    memcpy(&own, &allows, sizeof(own));
    SSL_CTX_set0_security_ex_data(context, own);
    SSL_CTX_set_security_callback(context, tls_bound_on_security);
}

const char *tls_bound_words(const char *words)
{
    return strstr(words, "dh key too small") ? "the prime of Diffie-Hellman has less than 1024 "
                                               "bits, or it has more than 4096 and "
                                               "no standard names it"
                                             : words;
}
