/* SPDX-License-Identifier: MIT */
#include "check/mx_hosts.h"

#include <stdlib.h>

#include "check/mx_visit.h"
#include "lib/base/arena.h"

struct mx_hosts {
    struct mx_tools tools;
    struct shared_visits *visits;
};

static void hosts_on_visited(void *context, const struct mx_host *host)
{
    shared_visit_end(context, host);
}

static void *hosts_start_visit(void *tools, const char *name, const void *subject,
                               struct shared_visit *entry)
{
    (void)subject;
    return mx_visit_start(tools, name, hosts_on_visited, entry);
}

static void hosts_free_visit(void *visit)
{
    mx_visit_free(visit);
}

struct mx_hosts *mx_hosts_new(const struct mx_tools *tools, size_t n_at_once)
{
    static const struct visit_kind kind = {hosts_start_visit, hosts_free_visit};
    struct mx_hosts *hosts = memory_alloc(sizeof(*hosts));

    hosts->tools = *tools;
    hosts->visits = shared_visits_new(tools->loop, &kind, &hosts->tools, n_at_once, MX_HOSTS_KEPT);
    return hosts;
}

void mx_hosts_free(struct mx_hosts *hosts)
{
    if (hosts == NULL)
        return;
    shared_visits_free(hosts->visits);
    free(hosts);
}

void mx_hosts_ask(struct mx_hosts *hosts, const char *name, visit_seen *callback, void *context)
{
    shared_visits_ask(hosts->visits, name, NULL, 0, callback, context);
}
