/* SPDX-License-Identifier: MIT */
#include "check/mx_visit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "check/connection_pace.h"
#include "check/mx_host.h"
#include "check/mx_trust.h"
#include "lib/base/err.h"
#include "support/fake_dns.h"
#include "support/pki.h"
#include "support/smtp_server.h"

enum { LONG_MS = 20000 };

static const struct smtp_step secured[] = {
    {SMTP_STEP_SAY, "220 mx.example\r\n"},
    {SMTP_STEP_HEAR, "EHLO check.example\r\n"},
    {SMTP_STEP_SAY, "250-mx.example\r\n250 STARTTLS\r\n"},
    {SMTP_STEP_HEAR, "STARTTLS\r\n"},
    {SMTP_STEP_SAY, "220 go\r\n"},
    {SMTP_STEP_SHAKE, NULL},
    {SMTP_STEP_HEAR, "QUIT\r\n"},
    {SMTP_STEP_CLOSE, NULL},
};
static const struct smtp_step in_clear[] = {
    {SMTP_STEP_SAY, "220 mx.example\r\n"},
    {SMTP_STEP_HEAR, "EHLO check.example\r\n"},
    {SMTP_STEP_SAY, "250 mx.example\r\n"},
    {SMTP_STEP_HEAR, "QUIT\r\n"},
    {SMTP_STEP_CLOSE, NULL},
};
static const struct smtp_step silent[] = {{SMTP_STEP_END, NULL}};

static struct pki_identity *root, *leaf, *other;
static struct mx_trust *trust;
static SSL_CTX *leaf_tls, *other_tls;

static SSL_CTX *context_of(const struct pki_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_use_certificate(context, identity->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->key), 1);
    return context;
}

/* Shows the good certificate to those who ask for its name alone. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's. */
static int choose_by_name(SSL *ssl, int *alert, void *data)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)data;
    if (name && strcmp(name, "mx.example") == 0)
        SSL_set_SSL_CTX(ssl, leaf_tls);
    return SSL_TLSEXT_ERR_OK;
}

static int open_visits(void **state)
{
    const struct pki_request authority = {.common_name = "root", .role = PKI_AUTHORITY},
                             good = {.common_name = "leaf", .names = "DNS:mx.example"},
                             else_where = {.common_name = "other", .names = "DNS:other.example"};
    struct err err;

    signal(SIGPIPE, SIG_IGN);
    pki_enter_directory(state);
    root = pki_issue(&authority, "P-256", NULL);
    leaf = pki_issue(&good, "P-256", root);
    other = pki_issue(&else_where, "P-256", root);
    pki_write("roots.pem", root->certificate_pem, NULL);
    trust = mx_trust_new("roots.pem", &err);
    assert_non_null(trust);
    leaf_tls = context_of(leaf);
    other_tls = context_of(other);
    SSL_CTX_set_tlsext_servername_callback(other_tls, choose_by_name);
    return 0;
}

static int close_visits(void **state)
{
    SSL_CTX_free(leaf_tls);
    SSL_CTX_free(other_tls);
    mx_trust_free(trust);
    pki_free(root);
    pki_free(leaf);
    pki_free(other);
    return pki_leave_directory(state);
}

/* A visit and what it needs. */
struct visited {
    uv_loop_t loop;
    struct fake_dns dns;
    struct mx_tools tools;
    struct mx_visit *visit;
    const struct mx_host *host;
    unsigned n_calls;
};

static void note_host(void *context, const struct mx_host *host)
{
    struct visited *visited = context;

    visited->host = host;
    visited->n_calls++;
}

static void visited_open(struct visited *visited, const struct fake_dns_row *rows, size_t n_rows,
                         const struct smtp_server *server)
{
    const struct sockaddr_in *address =
        server ? (const struct sockaddr_in *)(const void *)smtp_server_address(server) : NULL;

    memset(visited, 0, sizeof(*visited));
    assert_int_equal(uv_loop_init(&visited->loop), 0);
    visited->dns = fake_dns_of(&visited->loop, rows, n_rows);
    visited->tools = (struct mx_tools){.loop = &visited->loop,
                                       .dns = &visited->dns.source,
                                       .trust = trust,
                                       .pace = connection_pace_new(0),
                                       .helo = "check.example",
                                       .port = address ? ntohs(address->sin_port) : 25,
                                       .allow_private = true,
                                       .now_unix_s = PKI_NOW_UNIX_S,
                                       .connect_ms = LONG_MS,
                                       .reply_ms = LONG_MS,
                                       .probe_ms = LONG_MS,
                                       .visit_ms = LONG_MS};
}

static const struct mx_host *visited_run(struct visited *visited)
{
    visited->visit = mx_visit_start(&visited->tools, "mx.example", note_host, visited);
    assert_int_equal(visited->n_calls, 0);
    uv_run(&visited->loop, UV_RUN_DEFAULT);
    assert_int_equal(visited->n_calls, 1);
    return visited->host;
}

static void visited_close(struct visited *visited)
{
    mx_visit_free(visited->visit);
    uv_run(&visited->loop, UV_RUN_DEFAULT);
    assert_int_equal(visited->dns.n_open, 0);
    assert_int_equal(uv_loop_close(&visited->loop), 0);
    connection_pace_free((struct connection_pace *)visited->tools.pace);
}

static const struct slice first = SLICE_BYTES("\x7f\0\0\1"), second = SLICE_BYTES("\x7f\0\0\2"),
                          both[] = {SLICE_BYTES("\x7f\0\0\1"), SLICE_BYTES("\x7f\0\0\2")};

#define ADDRESS(is_secure)                                           \
    {                                                                \
        "mx.example", DNS_TYPE_A, DNS_OK, is_secure, NULL, &first, 1 \
    }
#define NO_IPV6(is_secure)                                                \
    {                                                                     \
        "mx.example", DNS_TYPE_AAAA, DNS_NODATA, is_secure, NULL, NULL, 0 \
    }

static void sees_a_good_host(void **state)
{
    static const struct fake_dns_row rows[] = {ADDRESS(false), NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(secured, leaf_tls);
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    visited_open(&visited, rows, ARRAY_LEN(rows), server);
    host = visited_run(&visited);
    assert_string_equal(host->name, "mx.example");
    assert_string_equal(host->canonical, "mx.example");
    assert_int_equal(host->n_addresses, 1);
    assert_string_equal(host->addresses[0].text, "127.0.0.1");
    assert_int_equal(mx_host_sts_outcome(host), MX_ACCEPTS);
    assert_int_equal(mx_host_dane_outcome(host, "example"), MX_ACCEPTS);
    assert_false(mx_host_has_dane(host));
    assert_int_equal(host->addresses[0].nameless->cert->faults, 0);
    assert_int_equal(smtp_server_clients(server), 2);
    assert_string_equal(smtp_server_name_asked(server), ""); /* that of the last one */
    assert_string_equal(host->addresses[0].named->text, "'go'");
    visited_close(&visited);
    smtp_server_stop(server);
}

/* The rdata of "3 1 1" for a certificate. */
static struct slice rdata_of(X509 *certificate, char rdata[35])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    memcpy(rdata, "\3\1\1", 3);
    assert_int_equal(
        EVP_Digest(der, (size_t)len, (unsigned char *)rdata + 3, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    return (struct slice){rdata, 35};
}

/* Which TLSA records there are, and what follows. */
struct tlsa_row {
    bool address_is_secure, tlsa_is_secure;
    enum dns_status status;
    enum { LEAF, OTHER } whose;
    size_t n_records;
    enum mx_outcome dane;
};

static void follows_tlsa_records_that_are_secure(void **state)
{
    static const struct tlsa_row rows[] = {
        {true, true, DNS_OK, LEAF, 1, MX_ACCEPTS},
        {true, true, DNS_OK, OTHER, 1, MX_REFUSES},
        {false, true, DNS_OK, OTHER, 0, MX_ACCEPTS},
        {true, false, DNS_OK, OTHER, 0, MX_ACCEPTS},
        {true, true, DNS_NODATA, OTHER, 0, MX_ACCEPTS},
        {true, true, DNS_BOGUS, LEAF, 0, MX_REFUSES},
        {true, true, DNS_FAILED, LEAF, 0, MX_REFUSES},
        {false, true, DNS_FAILED, LEAF, 0, MX_ACCEPTS},
    };
    struct smtp_server *server = smtp_server_start(secured, leaf_tls);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[64], bytes[35];
        struct slice rdata = rdata_of((rows[i].whose == LEAF ? leaf : other)->certificate, bytes);
        const struct fake_dns_row dns[] = {
            ADDRESS(rows[i].address_is_secure),
            NO_IPV6(rows[i].address_is_secure),
            {name, DNS_TYPE_TLSA, rows[i].status, rows[i].tlsa_is_secure, NULL, &rdata,
             rows[i].status == DNS_OK},
        };
        const struct mx_host *host;
        struct visited visited;
        visited_open(&visited, dns, ARRAY_LEN(dns), server);
        snprintf(name, sizeof(name), "_%u._tcp.mx.example", visited.tools.port);
        host = visited_run(&visited);
        assert_string_equal(host->tlsa_name, name);
        if (host->n_records != rows[i].n_records ||
            mx_host_dane_outcome(host, "example") != rows[i].dane)
            fail_msg("row %zu: expected %zu, %d, found %zu, %d", i, rows[i].n_records, rows[i].dane,
                     host->n_records, mx_host_dane_outcome(host, "example"));
        assert_int_equal(mx_host_sts_outcome(host), MX_ACCEPTS);
        visited_close(&visited);
    }
    smtp_server_stop(server);
}

/* RFC 7672 2.2.2: the name at the end of the CNAMEs first, and no other if that fails. */
static void asks_for_tlsa_records_behind_a_cname_first(void **state)
{
    static const struct {
        enum dns_status status;
        bool is_secure;
        const char *asked;
    } rows[] = {
        {DNS_OK, true, "A mx.example, AAAA mx.example, TLSA _25._tcp.a.mx.example"},
        {DNS_BOGUS, false, "A mx.example, AAAA mx.example, TLSA _25._tcp.a.mx.example"},
        {DNS_FAILED, false, "A mx.example, AAAA mx.example, TLSA _25._tcp.a.mx.example"},
        {DNS_NODATA, true,
         "A mx.example, AAAA mx.example, TLSA _25._tcp.a.mx.example, TLSA _25._tcp.mx.example"},
        {DNS_OK, false,
         "A mx.example, AAAA mx.example, TLSA _25._tcp.a.mx.example, TLSA _25._tcp.mx.example"},
    };
    static const struct slice private = SLICE_BYTES("\x0a\0\0\1"), rdata = SLICE_BYTES("\3\1\1x");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fake_dns_row dns[] = {
            {"mx.example", DNS_TYPE_A, DNS_OK, true, "a.mx.example", &private, 1},
            {"mx.example", DNS_TYPE_AAAA, DNS_NODATA, true, "a.mx.example", NULL, 0},
            {"_25._tcp.a.mx.example", DNS_TYPE_TLSA, rows[i].status, rows[i].is_secure, NULL,
             &rdata, rows[i].status == DNS_OK},
        };
        struct visited visited;
        visited_open(&visited, dns, ARRAY_LEN(dns), NULL);
        visited.tools.allow_private = false;
        assert_string_equal(visited_run(&visited)->canonical, "a.mx.example");
        assert_string_equal(visited.dns.asked, rows[i].asked);
        visited_close(&visited);
    }
}

static void leaves_special_addresses_alone(void **state)
{
    static const struct fake_dns_row rows[] = {ADDRESS(false), NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(secured, leaf_tls);
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    visited_open(&visited, rows, ARRAY_LEN(rows), server);
    visited.tools.allow_private = false;
    host = visited_run(&visited);
    assert_string_equal(host->addresses[0].special, "a loopback address");
    assert_null(host->addresses[0].named);
    assert_int_equal(mx_host_sts_outcome(host), MX_REFUSES);
    visited_close(&visited);
    assert_int_equal(smtp_server_clients(server), 0);
    smtp_server_stop(server);
}

static void a_host_without_addresses_is_not_asked_for_more(void **state)
{
    struct visited visited;

    (void)state;
    visited_open(&visited, NULL, 0, NULL);
    assert_int_equal(mx_host_sts_outcome(visited_run(&visited)), MX_REFUSES);
    assert_string_equal(visited.dns.asked, "A mx.example, AAAA mx.example");
    assert_null(visited.host->tlsa);
    visited_close(&visited);
}

static void tries_each_address(void **state)
{
    static const struct fake_dns_row rows[] = {
        {"mx.example", DNS_TYPE_A, DNS_OK, false, NULL, both, 2}, NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(in_clear, NULL),
                       *beside = smtp_server_start_beside(server, secured, leaf_tls);
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    visited_open(&visited, rows, ARRAY_LEN(rows), server);
    host = visited_run(&visited);
    assert_int_equal(host->n_addresses, 2);
    assert_int_equal(host->addresses[0].named->end, SMTP_END_NO_STARTTLS);
    assert_null(host->addresses[0].nameless); /* it failed before a name was asked for */
    assert_int_equal(host->addresses[1].named->end, SMTP_END_SECURED);
    assert_int_equal(mx_host_sts_outcome(host), MX_ACCEPTS);
    visited_close(&visited);
    smtp_server_stop(server);
    smtp_server_stop(beside);
}

static void compares_without_the_name(void **state)
{
    static const struct fake_dns_row rows[] = {
        {"mx.example", DNS_TYPE_A, DNS_OK, false, NULL, both, 2}, NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(secured, other_tls),
                       *beside = smtp_server_start_beside(server, secured, other_tls);
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    visited_open(&visited, rows, ARRAY_LEN(rows), server);
    host = visited_run(&visited);
    assert_int_equal(host->addresses[0].named->cert->faults, 0);
    assert_int_equal(host->addresses[0].nameless->cert->faults, MX_CERT_NAME);
    assert_int_equal(host->addresses[1].named->cert->faults, 0);
    assert_null(host->addresses[1].nameless); /* one comparison is enough if all is well */
    visited_close(&visited);
    smtp_server_stop(server);
    smtp_server_stop(beside);
}

/* Whether it was asked again with what all senders know, and how that ended. */
static void asks_again_where_the_suite_is_old(void **state)
{
    static const struct fake_dns_row rows[] = {ADDRESS(false), NO_IPV6(false)};
    static const struct {
        const char *suites;
        unsigned n_clients;
        enum smtp_end end; /* of the third */
    } servers[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", 2, SMTP_END_SECURED},
        {"ECDHE-ECDSA-AES128-SHA", 3, SMTP_END_TLS},
        {"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-GCM-SHA256", 3, SMTP_END_SECURED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        SSL_CTX *tls = context_of(leaf);
        struct smtp_server *server;
        const struct mx_address *address;
        struct visited visited;

        assert_int_equal(SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION), 1);
        assert_int_equal(SSL_CTX_set_cipher_list(tls, servers[i].suites), 1);
        SSL_CTX_set_options(tls, SSL_OP_CIPHER_SERVER_PREFERENCE);
        server = smtp_server_start(secured, tls);
        visited_open(&visited, rows, ARRAY_LEN(rows), server);
        address = &visited_run(&visited)->addresses[0];
        assert_int_equal(address->named->end, SMTP_END_SECURED);
        assert_int_equal(mx_host_sts_outcome(visited.host), MX_ACCEPTS);
        if ((address->narrow ? 3 : 2) != servers[i].n_clients ||
            (address->narrow && address->narrow->end != servers[i].end))
            fail_msg("row %zu: ended with %d", i, address->narrow ? (int)address->narrow->end : -1);
        visited_close(&visited);
        assert_int_equal(smtp_server_clients(server), servers[i].n_clients);
        smtp_server_stop(server);
        SSL_CTX_free(tls);
    }
}

static void stops_when_its_time_is_over(void **state)
{
    static const struct fake_dns_row rows[] = {
        {"mx.example", DNS_TYPE_A, DNS_OK, false, NULL, both, 2}, NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(silent, NULL);
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    visited_open(&visited, rows, ARRAY_LEN(rows), server);
    visited.tools.reply_ms = 60;
    visited.tools.visit_ms = 30;
    host = visited_run(&visited);
    assert_int_equal(host->addresses[0].named->end, SMTP_END_TIMEOUT);
    assert_null(host->addresses[1].named);
    assert_true(host->has_run_out);
    visited_close(&visited);
    smtp_server_stop(server);
}

static void counts_the_addresses_beyond_its_limit(void **state)
{
    struct slice rdata[MX_ADDRESSES_MAX + 3];
    const struct fake_dns_row rows[] = {
        {"mx.example", DNS_TYPE_A, DNS_OK, false, NULL, rdata, ARRAY_LEN(rdata)},
        {"mx.example", DNS_TYPE_AAAA, DNS_OK, false, NULL, rdata, 1}};
    const struct mx_host *host;
    struct visited visited;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rdata); i++)
        rdata[i] = i == 1 ? (struct slice){first.ptr, 3} : second; /* one is broken */
    visited_open(&visited, rows, ARRAY_LEN(rows), NULL);
    visited.tools.allow_private = false;
    host = visited_run(&visited);
    assert_int_equal(host->n_addresses, MX_ADDRESSES_MAX);
    assert_int_equal(host->n_left_out, 3);
    visited_close(&visited);
}

static void can_be_ended_at_any_time(void **state)
{
    static const struct fake_dns_row rows[] = {ADDRESS(false), NO_IPV6(false)};
    struct smtp_server *server = smtp_server_start(silent, NULL);

    (void)state;
    for (int n_turns = 0; n_turns < 5; n_turns++) {
        struct visited visited;
        visited_open(&visited, rows, ARRAY_LEN(rows), server);
        visited.visit = mx_visit_start(&visited.tools, "mx.example", note_host, &visited);
        for (int i = 0; i < n_turns; i++)
            uv_run(&visited.loop, UV_RUN_NOWAIT);
        visited_close(&visited);
        assert_int_equal(visited.n_calls, 0);
    }
    mx_visit_free(NULL);
    smtp_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_a_good_host),
        cmocka_unit_test(follows_tlsa_records_that_are_secure),
        cmocka_unit_test(asks_for_tlsa_records_behind_a_cname_first),
        cmocka_unit_test(leaves_special_addresses_alone),
        cmocka_unit_test(a_host_without_addresses_is_not_asked_for_more),
        cmocka_unit_test(tries_each_address),
        cmocka_unit_test(compares_without_the_name),
        cmocka_unit_test(asks_again_where_the_suite_is_old),
        cmocka_unit_test(stops_when_its_time_is_over),
        cmocka_unit_test(counts_the_addresses_beyond_its_limit),
        cmocka_unit_test(can_be_ended_at_any_time),
    };

    return cmocka_run_group_tests(tests, open_visits, close_visits);
}
