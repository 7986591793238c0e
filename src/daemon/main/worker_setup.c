/* SPDX-License-Identifier: MIT */
#include "daemon/main/worker_setup.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/main/listen_sockets.h"
#include "daemon/main/worker_threads.h"
#include "daemon/worker/worker.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/config.h"

static int add_worker(const struct worker_setup *setup, size_t index,
                      struct worker_threads *threads, struct err *err)
{
    const struct config *config = setup->config;
    struct worker_socket *sockets = memory_alloc((config->n_listen + 1) * sizeof(*sockets));
    struct worker_options options = *setup->common;
    int result;

    options.counts = setup->counts;
    options.n_workers = setup->n_workers;
    options.descriptors_max = setup->descriptors_max;
    options.sockets = sockets;
    options.n_sockets = config->n_listen;
    for (size_t i = 0; i < config->n_listen; i++)
        sockets[i] = (struct worker_socket){
            .fd = listen_sockets_fd(setup->sockets, i, index),
            .serves = config->listen[i].serves_challenges ? SERVES_CHALLENGES : SERVES_POLICIES,
            .has_tls = config->listen[i].has_tls,
            /* A connection with a PROXY protocol header has one client behind it, as any has. */
            .keeps_alive =
                config->listen[i].kind == LISTEN_UNIX && !config->listen[i].has_proxy_protocol,
            .has_proxy_protocol = config->listen[i].has_proxy_protocol,
            .trusted = config->listen[i].trusted,
            .n_trusted = config->listen[i].n_trusted,
        };
    result = worker_threads_add(threads, &options, err);
    free(sockets);
    return result;
}

static int add_admin_worker(const struct worker_setup *setup, struct worker_threads *threads,
                            struct err *err)
{
    struct worker_socket socket = {.serves = SERVES_ADMIN};
    struct worker_options options = *setup->common;

    options.counts = setup->admin_counts;
    options.n_workers = 1;
    options.descriptors_max = WORKER_SETUP_ADMIN_CONNECTIONS;
    options.sockets = &socket;
    options.n_sockets = 1;
    if (listen_sockets_open_admin(setup->sockets, setup->config, setup->account, &socket.fd, err) ==
        0)
        return worker_threads_add(threads, &options, err);
    if (!setup->config->admin->is_default)
        return -1;
    log_line(LOG_WARNING, "%s; health and metrics are not served", err->msg);
    return 0;
}

size_t worker_setup_count(const struct config *config)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (config->workers != 0)
        return config->workers;
    return n_cores > 0 ? (size_t)n_cores : 1;
}

int worker_setup_add(const struct worker_setup *setup, struct worker_threads *threads,
                     struct err *err)
{
    for (size_t i = 0; i < setup->n_workers; i++)
        if (add_worker(setup, i, threads, err) != 0)
            return -1;
    return setup->config->admin ? add_admin_worker(setup, threads, err) : 0;
}
