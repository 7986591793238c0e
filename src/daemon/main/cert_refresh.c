/* SPDX-License-Identifier: MIT */
#include "daemon/confine/sandbox.h"
#include "daemon/main/internal.h"
#include "daemon/tls/cert_store.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

struct cert_store *certificates_store(const struct config *config, const struct trust_store *trust)
{
    return cert_store_new(config->sources, config->n_sources, CERT_STORE_HOSTS, &clock_system,
                          trust);
}

static void report_change(void *context, const char *host, const char *message)
{
    (void)context;
    log_line(LOG_WARNING, "%s: %s", host, message);
}

static void look_again(uv_work_t *work)
{
    struct server *server = work->data;

    background_be_nice();
    sandbox_watch(server->sandbox);
    cert_store_refresh(server->refreshing.store, report_change, NULL);
}

static void on_looked(uv_work_t *work, int status)
{
    struct server *server = work->data;

    (void)status;
    if (background_end(&server->refreshing))
        certificates_refresh(server);
}

void certificates_refresh(struct server *server)
{
    background_start(server, &server->refreshing, look_again, on_looked);
}
