/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/diag.h"
#include "base/log.h"
#include "config/load.h"
#include "http/worker.h"
#include "server/internal.h"
#include "tls/store.h"

static bool has_same_sources(const struct config *a, const struct config *b)
{
    if (a->n_sources != b->n_sources)
        return false;
    for (size_t i = 0; i < a->n_sources; i++)
        if (strcmp(a->sources[i].chain, b->sources[i].chain) != 0 ||
            strcmp(a->sources[i].key, b->sources[i].key) != 0)
            return false;
    return true;
}

/* In the thread pool: nothing here touches what serves. */
static void build(uv_work_t *work)
{
    struct server *server = work->data;

    background_be_nice();
    server->reload_diag = diag_new();
    server->next = config_load(server->config_path, server->reload_diag);
    server->refused_key = NULL;
    if (!server->next)
        return;
    if (!config_can_replace(server->reload.config, server->next, &server->refused_key)) {
        config_unref(server->next);
        server->next = NULL;
        return;
    }
    /* The same sources keep their store: what it has read is still right. */
    server->next_store = has_same_sources(server->reload.config, server->next)
                             ? cert_store_ref(server->reload.store)
                             : certificates_store(server->next);
}

static void refuse(struct server *server)
{
    if (server->refused_key)
        log_line(LOG_ERROR,
                 "reload refused: '%s' has changed, which needs a restart; the configuration from "
                 "before goes on being served",
                 server->refused_key);
    else
        log_line(LOG_ERROR,
                 "reload refused: %zu errors; the configuration from before goes on being served",
                 diag_count(server->reload_diag, LEVEL_ERROR));
}

static void end(struct server *server)
{
    if (background_end(&server->reload))
        reload_start(server);
}

static void on_built(uv_work_t *work, int status)
{
    struct server *server = work->data;

    (void)status;
    findings_log(server->reload_diag);
    if (!server->next)
        refuse(server);
    diag_free(server->reload_diag);
    if (!server->next) {
        end(server);
        return;
    }
    if (server->phase != PHASE_SERVING) {
        reload_discard(server);
        return;
    }
    atomic_store(&server->n_swapped, 0);
    for (size_t i = 0; i < server->n_workers; i++)
        worker_swap(server->workers[i].worker, server->next, server->next_store);
}

void reload_discard(struct server *server)
{
    if (!server->reload.is_running)
        return;
    config_unref(server->next);
    cert_store_unref(server->next_store);
    server->next = NULL;
    background_end(&server->reload);
}

void reload_start(struct server *server)
{
    background_start(server, &server->reload, build, on_built);
}

void reload_finish(struct server *server)
{
    if (!server->reload.is_running || atomic_load(&server->n_swapped) < server->n_workers)
        return;
    /* The workers have let go of the old one, so it is here that its memory is given back. */
    config_unref(server->config);
    cert_store_unref(server->store);
    server->config = server->next;
    server->store = server->next_store;
    server->next = NULL;
    log_set_level(server->config->log_level);
    log_line(LOG_INFO, "reloaded '%s': %zu domains", server->config_path,
             server->config->n_domains);
    certificates_survey(server);
    end(server);
}
