/* SPDX-License-Identifier: MIT */
#include "daemon/worker/tls_guard.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "daemon/worker/connection.h"
#include "daemon/worker/hello.h"

enum {
    KEY_UPDATES_MAX = 8, /* a request of some hundred octets needs none */
    RANDOM_AT = 6,       /* in a ServerHello: behind its type, length and version */
    ALERT_LEN = 7,       /* of a plain one: the record's header, level and description */
};

/*
 * A plain alert that refuses a handshake for its name or for its version. Behind the first
 * ServerHello alerts of TLS 1.3 are encrypted, and larger.
 */
static bool tls_guard_is_refusal(const char *bytes, size_t len)
{
    const unsigned char *octets = (const unsigned char *)bytes;

    return len == ALERT_LEN && octets[0] == SSL3_RT_ALERT && octets[5] == SSL3_AL_FATAL &&
           (octets[6] == SSL_AD_UNRECOGNIZED_NAME || octets[6] == SSL_AD_PROTOCOL_VERSION);
}

/*
 * U16: h2o keeps what OpenSSL writes until SSL_accept() has returned. All that was to go out before
 * has gone out by then: after a HelloRetryRequest h2o reads on when it is written. A peer that
 * reads nothing loses the alert, and nobody waits for it.
 */
static void tls_guard_send(BIO *bio, const char *bytes, size_t len)
{
    h2o_socket_t *sock = BIO_get_data(bio);

    send(h2o_socket_get_fd(sock), bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Called before each operation of h2o's BIO, and after it with BIO_CB_RETURN set as well. */
/* NOLINTBEGIN(readability-non-const-parameter): the type is OpenSSL's. */
static long tls_guard_on_bio(BIO *bio, int operation, const char *argument, size_t len, int integer,
                             long number, int result, size_t *processed)
{
    (void)integer, (void)number, (void)processed;
    if (operation == BIO_CB_READ)
        BIO_clear_retry_flags(bio); /* U12 */
    if (operation == BIO_CB_WRITE && tls_guard_is_refusal(argument, len))
        tls_guard_send(bio, argument, len);
    return result;
}
/* NOLINTEND(readability-non-const-parameter) */

static void tls_guard_on_info(const SSL *ssl, int where, int result)
{
    /* The first moment at which h2o has set the BIO, and before its first read. */
    if (where & SSL_CB_HANDSHAKE_START)
        BIO_set_callback_ex(SSL_get_rbio(ssl), tls_guard_on_bio);
    if (where & SSL_CB_HANDSHAKE_DONE)
        connection_handshake_done(connection_of_ssl(ssl));
    if (where == SSL_CB_READ_ALERT && (result & 0xff) == SSL_AD_CLOSE_NOTIFY)
        connection_close_notified(connection_of_ssl(ssl)); /* U13 */
}

static void tls_guard_count_key_update(SSL *ssl)
{
    struct connection *connection = connection_of_ssl(ssl);

    if (++connection->n_key_updates <= KEY_UPDATES_MAX)
        return;
    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN); /* SSL_read() stops here */
    connection_end_later(connection, END_PEER);
}

/* By this random a ServerHello is a HelloRetryRequest (RFC 8446 4.1.3). */
static bool tls_guard_is_retry(const unsigned char *message, size_t len)
{
    static const unsigned char random[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};

    return message[0] == SSL3_MT_SERVER_HELLO && len >= RANDOM_AT + sizeof(random) &&
           memcmp(message + RANDOM_AT, random, sizeof(random)) == 0;
}

/* The type of the last message in the server's first flight. */
static int tls_guard_last_of_flight(const SSL *ssl)
{
    return SSL_version(ssl) == TLS1_3_VERSION ? SSL3_MT_FINISHED : SSL3_MT_SERVER_DONE;
}

static void tls_guard_on_message(int is_ours, int version, int content_type, const void *bytes,
                                 size_t len, SSL *ssl, void *context)
{
    const unsigned char *message = bytes;

    (void)version, (void)context;
    if (content_type != SSL3_RT_HANDSHAKE || len == 0)
        return;
    if (!is_ours && message[0] == SSL3_MT_KEY_UPDATE)
        tls_guard_count_key_update(ssl); /* U14 */
    if (is_ours && tls_guard_is_retry(message, len))
        hello_expect_another(connection_of_ssl(ssl));
    if (is_ours && message[0] == tls_guard_last_of_flight(ssl))
        hello_answered(connection_of_ssl(ssl));
}

void tls_guard_set(SSL_CTX *ctx)
{
    SSL_CTX_set_info_callback(ctx, tls_guard_on_info);
    SSL_CTX_set_msg_callback(ctx, tls_guard_on_message);
}
