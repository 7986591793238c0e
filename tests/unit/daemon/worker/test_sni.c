/* SPDX-License-Identifier: MIT */
#include "daemon/worker/sni.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/tls/cert_loader.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/context.h"
#include "daemon/worker/log_record.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "support/loaded.h"
#include "support/pki.h"
#include "support/shaken.h"

#define HOST "mta-sts.example.com"
#define REPORTS "reports.example.net"

static const char yaml[] = "domains:\n"
                           "  example.com: {mx: [mx.example.com]}\n"
                           "  example.org: {mx: [mx.example.com]}\n"
                           "report_host: " REPORTS "\n";

static int64_t pki_unix_s(const struct clock *clock)
{
    (void)clock;
    return PKI_NOW_UNIX_S;
}

static const struct clock pki_clock = {.unix_s = pki_unix_s};

/* A room with TLS, and what SNI chooses from: example.com and the report host have certificates. */
struct chooser {
    struct room room;
    h2o_context_t report_context; /* an address only */
    struct sni sni;
};

static void chooser_open(struct chooser *chooser, cert_loader_load *load, unsigned timeout_ms)
{
    const struct cert_source source = {"{host}.pem", "{host}.pem"};
    struct err err;

    memset(chooser, 0, sizeof(*chooser));
    room_open(&chooser->room, NULL, NULL);
    pki_write_pair(HOST ".pem", HOST ".pem", HOST, 60);
    pki_write_pair(REPORTS ".pem", REPORTS ".pem", REPORTS, 60);
    chooser->room.snapshot.config = loaded_config("%s", yaml);
    chooser->room.snapshot.store = cert_store_new(&source, 1, 10, &pki_clock, NULL);
    chooser->report_context.globalconf = &chooser->room.globalconf;
    chooser->sni = (struct sni){&chooser->room.snapshot, cert_loader_new(load, timeout_ms),
                                &chooser->room.context, &chooser->report_context};
    assert_int_equal(
        tls_context_new(sni_choose_certificate, &chooser->sni, &chooser->room.kind.ssl_ctx, &err),
        0);
}

static void chooser_close(struct chooser *chooser)
{
    room_close(&chooser->room);
    tls_context_free(chooser->room.kind.ssl_ctx);
    while (cert_loader_free(chooser->sni.loader) != 0)
        continue; /* a read that was released still runs */
    cert_store_unref(chooser->room.snapshot.store);
    config_unref(chooser->room.snapshot.config);
}

/* Host, certificate and context are the connection's from then on. */
static void test_chosen(void **state)
{
    static const struct {
        const char *server_name, *host;
        bool is_report_host;
    } rows[] = {
        {HOST, HOST, false},
        {"MTA-STS.example.COM", HOST, false},
        {REPORTS, REPORTS, true},
    };
    struct chooser chooser;

    (void)state;
    chooser_open(&chooser, cert_store_find, 10000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct shaken shaken = shaken_open(&chooser.room, rows[i].server_name);

        if (!shaken.is_done)
            fail_msg("row %zu: the handshake has failed", i);
        assert_string_equal(shaken.connection->server_name, rows[i].host);
        assert_non_null(shaken.connection->certificate);
        assert_ptr_equal(shaken.connection->accept_ctx.ctx,
                         rows[i].is_report_host ? &chooser.report_context : &chooser.room.context);
        shaken_close(&shaken);
    }
    chooser_close(&chooser);
}

/* What has no certificate is refused, counted by its reason, and logged with its name. */
static void test_refused(void **state)
{
    static const struct {
        const char *server_name;
        enum log_record_kind kind;
        enum handshake_result result;
        const char *logged;
    } rows[] = {
        {NULL, LOG_RECORD_UNKNOWN_HOST, HANDSHAKE_UNKNOWN_NAME, ""},
        {"example.com", LOG_RECORD_UNKNOWN_HOST, HANDSHAKE_UNKNOWN_NAME, "example.com"},
        {"a_b", LOG_RECORD_UNKNOWN_HOST, HANDSHAKE_UNKNOWN_NAME, "a_b"},
        {"mta-sts.example.org", LOG_RECORD_NO_CERTIFICATE, HANDSHAKE_NO_CERTIFICATE,
         "mta-sts.example.org"},
    };
    struct chooser chooser;

    (void)state;
    chooser_open(&chooser, cert_store_find, 10000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t before = chooser.room.metrics.handshakes[rows[i].result];
        struct shaken shaken = shaken_open(&chooser.room, rows[i].server_name);
        struct log_record record;

        assert_true(room_take_record(&chooser.room, &record));
        if (shaken.is_done || record.kind != rows[i].kind ||
            strcmp(record.server, rows[i].logged) != 0 ||
            chooser.room.metrics.handshakes[rows[i].result] != before + 1)
            fail_msg("row %zu: logged as %d for '%s'", i, (int)record.kind, record.server);
        assert_false(room_take_record(&chooser.room, &record));
        shaken_close(&shaken);
    }
    assert_int_equal(chooser.room.metrics.handshakes[HANDSHAKE_FAILED], 0);
    chooser_close(&chooser);
}

static sem_t released;

static struct certificate *load_late(struct cert_store *store, const char *host)
{
    (void)store, (void)host;
    while (sem_wait(&released) != 0)
        continue;
    return NULL;
}

/* A read that takes too long refuses the handshake, which counts as a turn of the loop. */
static void test_late(void **state)
{
    struct chooser chooser;
    struct log_record record;
    struct shaken shaken;

    (void)state;
    sem_init(&released, 0, 0);
    chooser_open(&chooser, load_late, 1);
    shaken = shaken_open(&chooser.room, HOST);
    assert_false(shaken.is_done);
    assert_true(room_take_record(&chooser.room, &record));
    assert_int_equal(record.kind, LOG_RECORD_LATE_CERTIFICATE);
    assert_int_equal(chooser.room.metrics.handshakes[HANDSHAKE_NO_CERTIFICATE], 1);
    assert_int_equal(chooser.room.metrics.turns, 1);
    shaken_close(&shaken);
    sem_post(&released);
    chooser_close(&chooser);
    sem_destroy(&released);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chosen, pki_enter_directory, pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_refused, pki_enter_directory, pki_leave_directory),
        cmocka_unit_test_setup_teardown(test_late, pki_enter_directory, pki_leave_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
