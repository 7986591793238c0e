/* SPDX-License-Identifier: MIT */
#include "daemon/worker/sni.h"

#include <string.h>

#include <h2o.h>

#include "daemon/tls/cert_loader.h"
#include "daemon/tls/certificate.h"
#include "daemon/worker/connection.h"
#include "daemon/worker/host.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/snapshot.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"

static struct certificate *sni_refuse(struct connection *connection, enum log_record_kind kind,
                                      const char *server_name)
{
    struct metrics *metrics = connections_metrics(connection->connections);
    struct log_record record = {.kind = kind};

    connection->is_refused = true;
    metrics_count(&metrics->handshakes[kind == LOG_RECORD_UNKNOWN_HOST ? HANDSHAKE_UNKNOWN_NAME
                                                                       : HANDSHAKE_NO_CERTIFICATE]);
    log_record_set_text(record.server, sizeof(record.server), slice_of(server_name));
    connections_log(connection->connections, connection->sock, &record);
    return NULL;
}

struct certificate *sni_choose_certificate(void *context, SSL *ssl, const char *server_name)
{
    const struct sni *sni = context;
    const struct config *config = sni->snapshot->config;
    struct connection *connection = connection_of_ssl(ssl);
    struct certificate *certificate;
    char host[DNS_NAME_MAX + 1];
    bool is_late;

    if (!server_name || host_parse(slice_of(server_name), host) != 0 ||
        (!config_find_policy_host(config, slice_of(host)) &&
         !config_is_own_host(config, slice_of(host))))
        return sni_refuse(connection, LOG_RECORD_UNKNOWN_HOST, server_name);
    certificate = cert_loader_find(sni->loader, sni->snapshot->store, host, &is_late);
    /* Each may have waited for a read: a turn with many of them is slow, but no standstill. */
    metrics_count(&connections_metrics(connection->connections)->turns);
    if (!certificate)
        return sni_refuse(connection,
                          is_late ? LOG_RECORD_LATE_CERTIFICATE : LOG_RECORD_NO_CERTIFICATE, host);
    strcpy(connection->server_name, host);
    certificate_unref(connection->certificate);
    connection->certificate = certificate_ref(certificate);
    /* Either way: a HelloRetryRequest may be followed by another name. */
    connection->accept_ctx.ctx = config->report_host && strcmp(host, config->report_host) == 0
                                     ? sni->report_context
                                     : sni->policy_context;
    return certificate;
}
