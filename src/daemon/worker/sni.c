/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "daemon/tls/cert_loader.h"
#include "daemon/tls/certificate.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/host.h"
#include "daemon/worker/worker_internal.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

static void report_refusal(struct connection *connection, enum log_record_kind kind,
                           const char *server_name)
{
    struct log_record record = {.kind = kind};

    connection->is_refused = true;
    metrics_count(&connection->worker->metrics
                       .handshakes[kind == LOG_RECORD_UNKNOWN_HOST ? HANDSHAKE_UNKNOWN_NAME
                                                                   : HANDSHAKE_NO_CERTIFICATE]);
    connection_print_peer(connection->sock, record.peer, sizeof(record.peer));
    log_record_set_text(record.server, sizeof(record.server), slice_of(server_name));
    log_ring_push(connection->worker->log, &record);
}

struct certificate *sni_choose_certificate(void *context, SSL *ssl, const char *server_name)
{
    struct connection *connection = connection_of_ssl(ssl);
    struct worker *worker = context;
    const struct config *config = worker->config;
    struct certificate *certificate;
    char host[DNS_NAME_MAX + 1];
    bool is_late;

    if (!server_name || host_parse(slice_of(server_name), host) != 0 ||
        (!config_find_policy_host(config, slice_of(host)) &&
         !config_is_own_host(config, slice_of(host)))) {
        report_refusal(connection, LOG_RECORD_UNKNOWN_HOST, server_name);
        return NULL;
    }
    certificate = cert_reader_find(worker->options.reader, worker->store, host, &is_late);
    /* Each may have waited for a read: a turn with many of them is slow, but no standstill. */
    metrics_count(&worker->metrics.turns);
    if (!certificate) {
        report_refusal(connection,
                       is_late ? LOG_RECORD_LATE_CERTIFICATE : LOG_RECORD_NO_CERTIFICATE, host);
        return NULL;
    }
    strcpy(connection->server_name, host);
    certificate_unref(connection->certificate);
    connection->certificate = certificate_ref(certificate);
    /* Either way: a HelloRetryRequest may be followed by another name. */
    connection->accept_ctx.ctx = config->report_host && strcmp(host, config->report_host) == 0
                                     ? &worker->large.super
                                     : &worker->small.super;
    return certificate;
}
