/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/main/internal.h"
#include "daemon/tls/cert_store.h"

/*
 * A tenth of a core where workers leave nothing. Not 19, for a thread can be preempted while it
 * takes a lock of OpenSSL's, for which workers then do not sleep but spin (pthread_rwlock_wrlock()
 * of glibc 2.36): it gets the core back after 40 ms, at 19 after 300.
 */
enum {
    BACKGROUND_NICENESS = 10,
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
    setpriority(PRIO_PROCESS, (id_t)gettid(), BACKGROUND_NICENESS);
}
