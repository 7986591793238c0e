/* SPDX-License-Identifier: MIT */
#include "daemon/main/readiness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/main/systemd.h"
#include "lib/base/arena.h"

struct readiness {
    int notify_fd;
    bool has_watchdog;
    bool is_stopping;
    atomic_bool is_ready;
};

struct readiness *readiness_new(int notify_fd)
{
    struct readiness *readiness = memory_alloc(sizeof(*readiness));

    *readiness =
        (struct readiness){.notify_fd = notify_fd, .has_watchdog = systemd_wants_watchdog()};
    return readiness;
}

void readiness_free(struct readiness *readiness)
{
    if (!readiness)
        return;
    if (readiness->notify_fd >= 0)
        close(readiness->notify_fd);
    free(readiness);
}

void readiness_set_serving(struct readiness *readiness, size_t n_domains, const char *remark)
{
    if (readiness->is_stopping)
        return;
    atomic_store(&readiness->is_ready, true);
    systemd_notify(readiness->notify_fd, "READY=1\nSTATUS=serving %zu domain%s%s", n_domains,
                   n_domains == 1 ? "" : "s", remark);
}

void readiness_set_reloading(struct readiness *readiness)
{
    if (!readiness->is_stopping)
        systemd_notify_reloading(readiness->notify_fd);
}

void readiness_set_stopping(struct readiness *readiness)
{
    readiness->is_stopping = true;
    atomic_store(&readiness->is_ready, false);
    systemd_notify(readiness->notify_fd,
                   "STOPPING=1\nSTATUS=shutting down, waiting for open connections");
}

void readiness_tell_alive(const struct readiness *readiness)
{
    if (readiness->has_watchdog)
        systemd_notify_alive(readiness->notify_fd);
}

bool readiness_is_ready(const struct readiness *readiness)
{
    return atomic_load(&readiness->is_ready);
}
