/* SPDX-License-Identifier: MIT */
#include "daemon/tls/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "daemon/tls/certificate.h"
#include "daemon/tls/provider_filter.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "support/pki.h"

#define EC_HOST "mta-sts.ec.example"
#define RSA_HOST "mta-sts.rsa.example"
#define ED_HOST "mta-sts.ed25519.example"
#define H2 "\x02h2"
#define HTTP_1_1 "\x08http/1.1"

enum { ALERT_NONE = -1 };

/* What the server's side of the tests owns; `select` counts its calls in it. */
static struct server {
    SSL_CTX *ctx;
    struct certificate *ec, *rsa, *ed25519;
    size_t n_selects;
    char server_name[300]; /* the last one asked for */
    int security_level;    /* set in `select`; 5 takes none of the certificates */
} server;

static struct certificate *select_certificate(void *context, SSL *ssl, const char *server_name)
{
    struct server *self = context;
    struct certificate *found = NULL;

    self->n_selects++;
    snprintf(self->server_name, sizeof(self->server_name), "%s",
             server_name ? server_name : "(none)");
    SSL_set_security_level(ssl, self->security_level);
    if (server_name && strcmp(server_name, EC_HOST) == 0)
        found = self->ec;
    if (server_name && strcmp(server_name, RSA_HOST) == 0)
        found = self->rsa;
    if (server_name && strcmp(server_name, ED_HOST) == 0)
        found = self->ed25519;
    return found ? certificate_ref(found) : NULL;
}

static struct certificate *make_certificate(const char *kind, const char *host)
{
    const struct pki_request above = {.common_name = "R1", .role = PKI_AUTHORITY};
    const struct pki_request request = {.common_name = host, .names = "DNS:unused.example"};
    struct pki_identity *authority = pki_issue(&above, "P-256", NULL);
    struct pki_identity *leaf = pki_issue(&request, kind, authority);
    struct certificate *certificate;
    struct err err;

    pki_write("all.pem", leaf->certificate_pem, authority->certificate_pem, leaf->key_pem, NULL);
    if (pki_load("all.pem", "all.pem", &certificate, &err) != 0)
        fail_msg("%s", err.msg);
    pki_free(leaf);
    pki_free(authority);
    return certificate;
}

/* A client has all algorithms, also those that the server has none of. */
static OSSL_LIB_CTX *peers;

static int set_up(void **state)
{
    struct err err;

    peers = OSSL_LIB_CTX_new();
    pki_enter_directory(state);
    server.security_level = 2;
    server.ec = make_certificate("P-256", EC_HOST);
    server.rsa = make_certificate("RSA-2048", RSA_HOST);
    server.ed25519 = make_certificate("ED25519", ED_HOST);
    assert_int_equal(tls_context_new(select_certificate, &server, &server.ctx, &err), 0);
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

static int tear_down(void **state)
{
    tls_context_free(server.ctx);
    tls_context_free(NULL);
    OSSL_LIB_CTX_free(peers);
    certificate_unref(server.ec);
    certificate_unref(server.rsa);
    certificate_unref(server.ed25519);
    return pki_leave_directory(state);
}

/* What a client asks for; what is 0 or NULL is left as OpenSSL has it. */
struct client {
    const char *server_name;
    int version; /* this one alone */
    const char *alpn;
    const char *groups;
    const char *suites; /* of TLS 1.2 */
};

/* A client and a server that talk through memory. */
struct connection {
    SSL_CTX *client_ctx;
    SSL *client;
    SSL *server;
    int alert;        /* that the client was sent; ALERT_NONE */
    size_t n_tickets; /* that the client was sent */
};

static void note_alert(const SSL *ssl, int where, int value)
{
    struct connection *connection = SSL_get_app_data(ssl);

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
        connection->alert = value & 0xff;
}

static int count_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = SSL_get_app_data(ssl);

    (void)session;
    connection->n_tickets++;
    return 0;
}

static void link_by_memory(SSL *client, SSL *peer)
{
    BIO *to_peer = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());

    BIO_up_ref(to_peer);
    BIO_up_ref(to_client);
    SSL_set_bio(client, to_client, to_peer);
    SSL_set_bio(peer, to_peer, to_client);
}

static void connection_open(struct connection *connection, const struct client *client)
{
    char text[64]; /* some of OpenSSL's macros cast const away */

    *connection = (struct connection){.alert = ALERT_NONE};
    connection->client_ctx = SSL_CTX_new_ex(peers, NULL, TLS_client_method());
    SSL_CTX_set_security_level(connection->client_ctx, 0); /* TLS 1.1 needs SHA-1 */
    SSL_CTX_set_session_cache_mode(connection->client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(connection->client_ctx, count_ticket);
    connection->client = SSL_new(connection->client_ctx);
    connection->server = SSL_new(server.ctx);
    SSL_set_app_data(connection->client, connection);
    SSL_set_info_callback(connection->client, note_alert);
    if (client->server_name) {
        snprintf(text, sizeof(text), "%s", client->server_name);
        assert_int_equal(SSL_set_tlsext_host_name(connection->client, text), 1);
    }
    SSL_set_min_proto_version(connection->client, client->version);
    SSL_set_max_proto_version(connection->client, client->version);
    if (client->alpn)
        SSL_set_alpn_protos(connection->client, (const unsigned char *)client->alpn,
                            (unsigned)strlen(client->alpn));
    if (client->groups) {
        snprintf(text, sizeof(text), "%s", client->groups);
        assert_int_equal(SSL_set1_groups_list(connection->client, text), 1);
    }
    if (client->suites)
        assert_int_equal(SSL_set_cipher_list(connection->client, client->suites), 1);
    SSL_set_connect_state(connection->client);
    SSL_set_accept_state(connection->server);
    link_by_memory(connection->client, connection->server);
}

/* Lets both sides speak until neither has anything to say. Returns whether they agreed. */
static bool connection_shake(struct connection *connection)
{
    int server_result = -1, client_result = -1;
    char byte;

    for (int i = 0; i < 8; i++) {
        client_result = SSL_do_handshake(connection->client);
        server_result = SSL_do_handshake(connection->server);
    }
    SSL_read(connection->client, &byte, 1); /* takes in the tickets of TLS 1.3 */
    ERR_clear_error();
    return client_result == 1 && server_result == 1;
}

static void connection_close(struct connection *connection)
{
    SSL_free(connection->client);
    SSL_free(connection->server);
    SSL_CTX_free(connection->client_ctx);
}

/* The common name of the certificate that the client was shown. */
static void shown_name(const SSL *client, char *name, int size)
{
    X509 *shown = SSL_get0_peer_certificate(client);

    name[0] = '\0';
    if (shown)
        X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, size);
}

static void test_agreed(void **state)
{
    static const struct {
        struct client client;
        int version;
        const char *suite, *alpn;
        size_t n_selects;
    } rows[] = {
        {{EC_HOST, 0, NULL, NULL, NULL}, TLS1_3_VERSION, NULL, "", 1},
        {{EC_HOST, TLS1_3_VERSION, HTTP_1_1, "P-256", NULL}, TLS1_3_VERSION, NULL, "http/1.1", 1},
        {{RSA_HOST, TLS1_3_VERSION, NULL, NULL, NULL}, TLS1_3_VERSION, NULL, "", 1},
        {{ED_HOST, TLS1_3_VERSION, NULL, NULL, NULL}, TLS1_3_VERSION, NULL, "", 1},
        {{EC_HOST, TLS1_2_VERSION, NULL, NULL, NULL}, TLS1_2_VERSION, NULL, "", 1},
        {{RSA_HOST, TLS1_2_VERSION, NULL, NULL, NULL}, TLS1_2_VERSION, NULL, "", 1},
        {{ED_HOST, TLS1_2_VERSION, NULL, NULL, NULL}, TLS1_2_VERSION, NULL, "", 1},
        /* a HelloRetryRequest, and so a second question */
        {{EC_HOST, 0, NULL, "P-384:X25519", NULL}, TLS1_3_VERSION, NULL, "", 2},
        {{EC_HOST, 0, H2, NULL, NULL}, TLS1_3_VERSION, NULL, "", 1},
        {{EC_HOST, TLS1_2_VERSION, H2, NULL, NULL}, TLS1_2_VERSION, NULL, "", 1},
        {{EC_HOST, 0, H2 HTTP_1_1, NULL, NULL}, TLS1_3_VERSION, NULL, "http/1.1", 1},
        {{EC_HOST, 0, "\x08http/1.0" HTTP_1_1 H2, NULL, NULL}, TLS1_3_VERSION, NULL, "http/1.1", 1},
        /* the order of the suites is ours, but for a client that wants ChaCha20 most */
        {{EC_HOST, TLS1_2_VERSION, NULL, NULL,
          "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-"
          "SHA256"},
         TLS1_2_VERSION,
         "ECDHE-ECDSA-AES128-GCM-SHA256",
         "",
         1},
        {{EC_HOST, TLS1_2_VERSION, NULL, NULL,
          "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"},
         TLS1_2_VERSION,
         "ECDHE-ECDSA-CHACHA20-POLY1305",
         "",
         1},
        {{RSA_HOST, TLS1_2_VERSION, NULL, NULL,
          "AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384"},
         TLS1_2_VERSION,
         "ECDHE-RSA-AES256-GCM-SHA384",
         "",
         1},
    };
    char name[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct connection connection;
        const unsigned char *alpn;
        unsigned alpn_len;

        server.n_selects = 0;
        connection_open(&connection, &rows[i].client);
        if (!connection_shake(&connection))
            fail_msg("row %zu: refused, alert %d", i, connection.alert);
        shown_name(connection.client, name, sizeof(name));
        SSL_get0_alpn_selected(connection.client, &alpn, &alpn_len);
        if (SSL_version(connection.client) != rows[i].version ||
            strcmp(name, rows[i].client.server_name) != 0 || server.n_selects != rows[i].n_selects)
            fail_msg("row %zu: version %#x, shown %s, asked %zu times", i,
                     (unsigned)SSL_version(connection.client), name, server.n_selects);
        if (!slice_eq_text((struct slice){(const char *)alpn, alpn_len}, rows[i].alpn))
            fail_msg("row %zu: wanted ALPN '%s', saw '%.*s'", i, rows[i].alpn, (int)alpn_len, alpn);
        if (rows[i].suite && strcmp(SSL_get_cipher(connection.client), rows[i].suite) != 0)
            fail_msg("row %zu: suite %s", i, SSL_get_cipher(connection.client));
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(connection.client)), 2);
        assert_string_equal(server.server_name, rows[i].client.server_name);
        connection_close(&connection);
    }
}

static void test_refused(void **state)
{
    static const struct {
        struct client client;
        int security_level;
        int alert;
        size_t n_selects;
    } rows[] = {
        {{NULL, TLS1_3_VERSION, NULL, NULL, NULL}, 2, SSL_AD_UNRECOGNIZED_NAME, 1},
        {{NULL, TLS1_2_VERSION, NULL, NULL, NULL}, 2, SSL_AD_UNRECOGNIZED_NAME, 1},
        {{"other.example", TLS1_3_VERSION, HTTP_1_1, NULL, NULL}, 2, SSL_AD_UNRECOGNIZED_NAME, 1},
        {{"other.example", TLS1_2_VERSION, HTTP_1_1, NULL, NULL}, 2, SSL_AD_UNRECOGNIZED_NAME, 1},
        {{EC_HOST, TLS1_1_VERSION, NULL, NULL, NULL}, 2, SSL_AD_PROTOCOL_VERSION, 0},
        {{EC_HOST, TLS1_3_VERSION, NULL, "P-384", NULL}, 2, SSL_AD_HANDSHAKE_FAILURE, 1},
        {{EC_HOST, TLS1_2_VERSION, NULL, "P-384", NULL}, 2, SSL_AD_HANDSHAKE_FAILURE, 1},
        {{RSA_HOST, TLS1_2_VERSION, NULL, NULL, "AES128-GCM-SHA256"},
         2,
         SSL_AD_HANDSHAKE_FAILURE,
         1},
        {{RSA_HOST, TLS1_2_VERSION, NULL, NULL, "ECDHE-RSA-AES128-SHA256"},
         2,
         SSL_AD_HANDSHAKE_FAILURE,
         1},
        {{RSA_HOST, TLS1_2_VERSION, NULL, NULL, "DHE-RSA-AES128-GCM-SHA256"},
         2,
         SSL_AD_HANDSHAKE_FAILURE,
         1},
        /* a certificate that OpenSSL does not take */
        {{EC_HOST, TLS1_3_VERSION, NULL, NULL, NULL}, 5, SSL_AD_INTERNAL_ERROR, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct connection connection;
        bool is_agreed;

        server.n_selects = 0;
        server.security_level = rows[i].security_level;
        connection_open(&connection, &rows[i].client);
        is_agreed = connection_shake(&connection);
        server.security_level = 2;
        if (is_agreed || connection.alert != rows[i].alert || server.n_selects != rows[i].n_selects)
            fail_msg("row %zu: wanted alert %d, saw %d; agreed %d, asked %zu times", i,
                     rows[i].alert, connection.alert, is_agreed, server.n_selects);
        connection_close(&connection);
    }
    assert_string_equal(server.server_name, EC_HOST);
}

/* No ticket is sent; what the client kept all the same resumes nothing, nor takes early data. */
static void test_no_resumption(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        const struct client client = {.server_name = EC_HOST, .version = versions[i]};
        struct connection first, second;
        SSL_SESSION *session;

        connection_open(&first, &client);
        assert_true(connection_shake(&first));
        assert_int_equal(first.n_tickets, 0);
        session = SSL_get1_session(first.client);
        assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
        connection_close(&first);

        connection_open(&second, &client);
        assert_int_equal(SSL_set_session(second.client, session), 1);
        assert_true(connection_shake(&second));
        assert_false(SSL_session_reused(second.client));
        assert_false(SSL_session_reused(second.server));
        connection_close(&second);
        SSL_SESSION_free(session);
    }
    assert_int_equal(SSL_CTX_sess_number(server.ctx), 0);
}

/* The server does not let a client begin a second handshake. */
static void test_no_renegotiation(void **state)
{
    static const struct client client = {.server_name = EC_HOST, .version = TLS1_2_VERSION};
    struct connection connection;

    (void)state;
    connection_open(&connection, &client);
    assert_true(connection_shake(&connection));
    server.n_selects = 0;
    assert_int_equal(SSL_renegotiate(connection.client), 1);
    for (int i = 0; i < 4; i++) {
        char byte;

        SSL_do_handshake(connection.client);
        SSL_read(connection.server, &byte, 1);
    }
    ERR_clear_error();
    assert_int_equal(server.n_selects, 0);
    connection_close(&connection);
}

/* No algorithm is left that a TLS context could be made of. */
static void test_cannot_be_made(void **state)
{
    SSL_CTX *untouched = server.ctx, *ctx = untouched;
    struct err err;

    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    assert_int_equal(tls_context_new(select_certificate, &server, &ctx, &err), -1);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_non_null(strstr(err.msg, "no TLS context can be made: "));
    assert_ptr_equal(ctx, untouched);
    assert_int_equal(ERR_peek_error(), 0);
}

/* OpenSSL 3 is what the daemon is built with; LibreSSL says that it is version 2. */
static void test_library(void **state)
{
    static const struct {
        unsigned long version;
        const char *want; /* NULL: it is taken */
    } rows[] = {
        {0x30000000UL, NULL},
        {0x30500040UL, NULL},
        {0x20000000UL, "expected OpenSSL 3, found version 2: "},
        {0x1010117fUL, "expected OpenSSL 3, found version 1: "},
        {0x40000000UL, "expected OpenSSL 3, found version 4: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {.msg = ""};
        int result = tls_library_check(rows[i].version, &err);

        if (result != (rows[i].want ? -1 : 0) ||
            (rows[i].want && strncmp(err.msg, rows[i].want, strlen(rows[i].want)) != 0))
            fail_msg("row %zu: %d, '%s'", i, result, err.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library),          cmocka_unit_test(test_agreed),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_no_resumption),
        cmocka_unit_test(test_no_renegotiation), cmocka_unit_test(test_cannot_be_made),
    };

    provider_filter_install();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
