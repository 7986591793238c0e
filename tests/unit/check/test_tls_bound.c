/* SPDX-License-Identifier: MIT */
#include "check/tls_bound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    RECORD_HEAD = 5,
    RECORD_SIZE = RECORD_HEAD + 1000,
    N_RECORDS = 100,
};

/* A server that sends HelloRequests, four zeros each, which SSL_connect() passes over. */
static SSL *connection_to(SSL_CTX *context, size_t n_records)
{
    static const unsigned char head[RECORD_HEAD] = {22, 3, 3, 1000 >> 8, 1000 & 0xff};
    static char record[RECORD_SIZE];
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_null());
    SSL *ssl = SSL_new(context);

    memcpy(record, head, sizeof(head));
    BIO_set_mem_eof_return(in, -1); /* what is missing may still come */
    for (size_t i = 0; i < n_records; i++)
        assert_int_equal(BIO_write(in, record, sizeof(record)), sizeof(record));
    SSL_set_bio(ssl, in, out);
    return ssl;
}

static int connect_reason(SSL *ssl)
{
    int done = SSL_connect(ssl);
    int reason = SSL_get_error(ssl, done);

    ERR_clear_error();
    return reason;
}

static void test_bound(void **state)
{
    static const struct {
        size_t n_records, max;
        bool is_exceeded;
    } rows[] = {
        {0, 1, false},
        {1, RECORD_SIZE + 1, false},
        {1, RECORD_SIZE, true}, /* the next read would be one too many */
        {N_RECORDS, N_RECORDS * RECORD_SIZE + 1, false},
        {N_RECORDS, 3 * RECORD_SIZE, true},
    };
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SSL *ssl = connection_to(context, rows[i].n_records);
        struct tls_bound bound;
        int reason;

        tls_bound_watch(&bound, ssl, rows[i].max);
        reason = connect_reason(ssl);
        if (bound.is_exceeded != rows[i].is_exceeded ||
            (reason == SSL_ERROR_WANT_READ) == rows[i].is_exceeded ||
            bound.n_octets > rows[i].max + RECORD_SIZE)
            fail_msg("row %zu: %d, %d, %zu octets", i, bound.is_exceeded, reason, bound.n_octets);
        SSL_free(ssl);
    }
    SSL_CTX_free(context);
}

/* That they are refused is tested with servers, in tests/check/test_hostile.py. */
static void test_words(void **state)
{
    (void)state;
    assert_string_equal(tls_bound_words("no protocols available"), "no protocols available");
    assert_non_null(strstr(tls_bound_words("SSL routines::dh key too small"), "4096"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_bound)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
