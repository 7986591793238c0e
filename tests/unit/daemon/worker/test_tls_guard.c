/* SPDX-License-Identifier: MIT */
#include "daemon/worker/tls_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/context.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/hello.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"
#include "support/shaken.h"

enum {
    KEY_UPDATES_MAX = 8,
};

static struct certificate *choose(void *context, SSL *ssl, const char *server_name)
{
    (void)ssl;
    return server_name && strcmp(server_name, "a.example") == 0 ? certificate_ref(context) : NULL;
}

/* A room whose TLS is guarded. */
struct guarded {
    struct room room;
    struct certificate *certificate;
};

static void guarded_open(struct guarded *guarded)
{
    struct err err;

    room_open(&guarded->room, NULL, NULL);
    pki_write_pair("a.pem", "a.pem", "a.example", 60);
    assert_int_equal(pki_load("a.pem", "a.pem", &guarded->certificate, &err), 0);
    assert_int_equal(
        tls_context_new(choose, guarded->certificate, &guarded->room.kind.ssl_ctx, &err), 0);
    tls_guard_set(guarded->room.kind.ssl_ctx);
}

static void guarded_close(struct guarded *guarded)
{
    room_close(&guarded->room);
    tls_context_free(guarded->room.kind.ssl_ctx);
    certificate_unref(guarded->certificate);
}

/* The end of the handshake begins the request's time. */
static void test_handshake_done(void **state)
{
    struct guarded guarded;
    struct shaken shaken;

    (void)state;
    guarded_open(&guarded);
    shaken = shaken_open(&guarded.room, "a.example");
    assert_true(shaken.is_done);
    assert_int_equal(guarded.room.metrics.handshakes[HANDSHAKE_OK], 1);
    assert_int_equal(shaken.connection->phase, PHASE_REQUEST);
    assert_false(shaken.connection->is_half_closed);
    shaken_close(&shaken);
    guarded_close(&guarded);
}

/* U13: after close_notify no request can come, and the connection ends with the turn. */
static void test_close_notify(void **state)
{
    struct guarded guarded;
    struct shaken shaken;

    (void)state;
    guarded_open(&guarded);
    shaken = shaken_open(&guarded.room, "a.example");
    SSL_shutdown(shaken.ssl);
    assert_int_equal(write(shaken.peer, "octets behind it", 16), 16);
    room_run(&guarded.room);
    assert_int_equal(connections_count(guarded.room.connections), 0);
    assert_int_equal(guarded.room.metrics.ends[END_PEER], 1);
    shaken_close(&shaken);
    guarded_close(&guarded);
}

/* U14: so many KeyUpdates are taken, and one more is the end. */
static void test_key_updates(void **state)
{
    struct guarded guarded;
    struct shaken shaken;

    (void)state;
    guarded_open(&guarded);
    shaken = shaken_open(&guarded.room, "a.example");
    for (int i = 0; i < KEY_UPDATES_MAX; i++) {
        assert_int_equal(SSL_key_update(shaken.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(shaken.ssl), 1);
    }
    room_run(&guarded.room);
    assert_int_equal(connections_count(guarded.room.connections), 1);
    assert_int_equal(shaken.connection->n_key_updates, KEY_UPDATES_MAX);
    assert_int_equal(SSL_key_update(shaken.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    assert_int_equal(SSL_do_handshake(shaken.ssl), 1);
    room_run(&guarded.room);
    assert_int_equal(connections_count(guarded.room.connections), 0);
    shaken_close(&shaken);
    guarded_close(&guarded);
}

/* A client that has its ClientHello ready. */
struct client {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *sent;
};

static struct client client_new(const char *server_name, int version)
{
    struct client client = {.ctx = SSL_CTX_new(TLS_client_method()), .sent = BIO_new(BIO_s_mem())};
    char name[64]; /* the macro wants it without const */

    snprintf(name, sizeof(name), "%s", server_name);
    SSL_CTX_set_security_level(client.ctx, 0);
    SSL_CTX_set_cipher_list(client.ctx, "ALL");
    SSL_CTX_set_min_proto_version(client.ctx, version);
    SSL_CTX_set_max_proto_version(client.ctx, version);
    client.ssl = SSL_new(client.ctx);
    SSL_set_bio(client.ssl, BIO_new(BIO_s_mem()), client.sent);
    SSL_set_tlsext_host_name(client.ssl, name);
    assert_int_equal(SSL_connect(client.ssl), -1);
    return client;
}

static void client_free(struct client *client)
{
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
}

static void client_send_hello(const struct client *client, int peer)
{
    char *octets;
    long len = BIO_get_mem_data(client->sent, &octets);

    assert_int_equal(write(peer, octets, (size_t)len), len);
}

static size_t receive_octets(int peer, unsigned char *octets, size_t size)
{
    size_t len = 0;
    ssize_t n_read;

    while ((n_read = read(peer, octets + len, size - len)) > 0)
        len += (size_t)n_read;
    return len;
}

/* U16: the one alert, and nothing behind it. */
static void test_alerts(void **state)
{
    static const struct {
        const char *server_name;
        int version;
        unsigned char want;
    } rows[] = {
        {"b.example", TLS1_3_VERSION, SSL_AD_UNRECOGNIZED_NAME},
        {"b.example", TLS1_2_VERSION, SSL_AD_UNRECOGNIZED_NAME},
        {"a.example", TLS1_1_VERSION, SSL_AD_PROTOCOL_VERSION},
        {"a.example", TLS1_VERSION, SSL_AD_PROTOCOL_VERSION},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct guarded guarded;
        unsigned char seen[64];
        size_t len;
        int peer;
        struct client client = client_new(rows[i].server_name, rows[i].version);

        guarded_open(&guarded);
        hello_begin(room_connect(&guarded.room, NULL, &peer));
        client_send_hello(&client, peer);
        room_run(&guarded.room);
        len = receive_octets(peer, seen, sizeof(seen));
        if (len != 7 || seen[0] != SSL3_RT_ALERT || seen[6] != rows[i].want)
            fail_msg("row %zu: %zu octets", i, len);
        assert_int_equal(connections_count(guarded.room.connections), 0);
        client_free(&client);
        close(peer);
        guarded_close(&guarded);
    }
}

/* While the client's Finished is awaited, a connection costs less than before. */
static void test_cost_of_the_flight(void **state)
{
    struct guarded guarded;
    struct connection *connection;
    struct client client = client_new("a.example", TLS1_3_VERSION);
    int peer;

    (void)state;
    guarded_open(&guarded);
    connection = room_connect(&guarded.room, NULL, &peer);
    hello_begin(connection);
    client_send_hello(&client, peer);
    room_run(&guarded.room);
    assert_int_equal(connection->phase, PHASE_HANDSHAKE);
    assert_int_equal(connection->share.bytes, COST_HANDSHAKE_ANSWERED);
    close(peer);
    guarded_close(&guarded);
    client_free(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake_done, pki_enter_directory,
                                        pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_close_notify, pki_enter_directory,
                                        pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_key_updates, pki_enter_directory, pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_alerts, pki_enter_directory, pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_cost_of_the_flight, pki_enter_directory,
                                        pki_leave_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
