/* SPDX-License-Identifier: MIT */
#include "daemon/worker/tls_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/context.h"
#include "daemon/worker/cost.h"
#include "daemon/worker/hello.h"
#include "lib/base/err.h"
#include "support/pki.h"
#include "support/shaken.h"

enum {
    KEY_UPDATES_MAX = 8,
};

static struct certificate *choose(void *context, SSL *ssl, const char *server_name)
{
    (void)ssl, (void)server_name;
    return certificate_ref(context);
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

/* While the client's Finished is awaited, a connection costs less than before. */
static void test_cost_of_the_flight(void **state)
{
    struct guarded guarded;
    struct connection *connection;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    BIO *sent = BIO_new(BIO_s_mem());
    SSL *client = SSL_new(ctx);
    char name[] = "a.example", *octets;
    long len;
    int peer;

    (void)state;
    guarded_open(&guarded);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), sent);
    SSL_set_tlsext_host_name(client, name);
    assert_int_equal(SSL_connect(client), -1);
    len = BIO_get_mem_data(sent, &octets);
    connection = room_connect(&guarded.room, NULL, &peer);
    hello_begin(connection);
    assert_int_equal(write(peer, octets, (size_t)len), len);
    room_run(&guarded.room);
    assert_int_equal(connection->phase, PHASE_HANDSHAKE);
    assert_int_equal(connection->share.bytes, COST_HANDSHAKE_ANSWERED);
    close(peer);
    guarded_close(&guarded);
    SSL_free(client);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake_done, pki_enter_directory,
                                        pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_close_notify, pki_enter_directory,
                                        pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_key_updates, pki_enter_directory, pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_cost_of_the_flight, pki_enter_directory,
                                        pki_leave_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
