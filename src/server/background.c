/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <unistd.h>

#include "server/internal.h"
#include "tls/store.h"

enum {
    LOWEST_PRIORITY = 19,
};

void background_start(struct server *server, struct background *background, uv_work_cb work,
                      uv_after_work_cb after)
{
    background->is_wanted = background->is_running;
    if (background->is_running || server->phase != PHASE_SERVING)
        return;
    background->is_running = true;
    background->config = config_ref(server->config);
    background->store = cert_store_ref(server->store);
    background->work.data = server;
    uv_queue_work(&server->loop, &background->work, work, after);
}

bool background_end(struct background *background)
{
    background->is_running = false;
    config_unref(background->config);
    cert_store_unref(background->store);
    return background->is_wanted;
}

void background_be_nice(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
}
