/* SPDX-License-Identifier: MIT */
#include "check/mx_hosts.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>
#include <utlist.h>

#include "check/mx_visit.h"
#include "lib/base/arena.h"

struct mx_waiter {
    mx_host_seen *callback;
    void *context;
    const struct mx_host *host; /* once it is seen */
    struct mx_waiter *prev, *next;
};

struct mx_entry {
    struct mx_hosts *hosts;
    char *name;
    struct mx_visit *visit;     /* NULL: its turn has not come */
    const struct mx_host *host; /* the visit's; NULL: not seen yet */
    struct mx_waiter *waiters;
    struct mx_entry *prev, *next; /* of those queued, or of those seen */
    UT_hash_handle hh;
};

struct mx_hosts {
    struct mx_tools tools;
    size_t n_at_once, n_visits;
    struct mx_entry *by_name;
    struct mx_entry *queued, *seen; /* the first came first */
    size_t n_seen;
    struct mx_waiter *served; /* those whose host has been seen */
    uv_timer_t timer;         /* calls them, never from inside mx_hosts_ask() */
};

static void waiters_free(struct mx_waiter *waiters)
{
    struct mx_waiter *waiter, *next;

    DL_FOREACH_SAFE (waiters, waiter, next)
        free(waiter);
}

static void entry_free(struct mx_entry *entry)
{
    waiters_free(entry->waiters);
    mx_visit_free(entry->visit);
    free(entry->name);
    free(entry);
}

static void hosts_on_timer(uv_timer_t *timer);

static void hosts_wake(struct mx_hosts *hosts)
{
    uv_timer_start(&hosts->timer, hosts_on_timer, 0, 0);
}

static void entry_on_visited(void *context, const struct mx_host *host)
{
    struct mx_entry *entry = context;
    struct mx_hosts *hosts = entry->hosts;
    struct mx_waiter *waiter;

    entry->host = host;
    DL_FOREACH (entry->waiters, waiter)
        waiter->host = host;
    DL_CONCAT(hosts->served, entry->waiters);
    entry->waiters = NULL;
    DL_APPEND(hosts->seen, entry);
    hosts->n_seen++;
    hosts->n_visits--;
    hosts_wake(hosts);
}

static void hosts_visit_next(struct mx_hosts *hosts)
{
    while (hosts->queued && hosts->n_visits < hosts->n_at_once) {
        struct mx_entry *entry = hosts->queued;
        DL_DELETE(hosts->queued, entry);
        hosts->n_visits++;
        entry->visit = mx_visit_start(&hosts->tools, entry->name, entry_on_visited, entry);
    }
}

static void hosts_drop_oldest(struct mx_hosts *hosts)
{
    while (hosts->by_name && hosts->seen && hosts->n_seen > MX_HOSTS_KEPT) {
        struct mx_entry *entry = hosts->seen;
        DL_DELETE(hosts->seen, entry);
        hosts->n_seen--;
        HASH_DEL(hosts->by_name, entry);
        entry_free(entry);
    }
}

/* Nothing is dropped before all who wait for it are served. */
static void hosts_on_timer(uv_timer_t *timer)
{
    struct mx_hosts *hosts = timer->data;

    while (hosts->served) {
        struct mx_waiter *waiter = hosts->served;
        DL_DELETE(hosts->served, waiter);
        waiter->callback(waiter->context, waiter->host);
        free(waiter);
    }
    hosts_drop_oldest(hosts);
    hosts_visit_next(hosts);
}

struct mx_hosts *mx_hosts_new(const struct mx_tools *tools, size_t n_at_once)
{
    struct mx_hosts *hosts = memory_alloc(sizeof(*hosts));

    *hosts = (struct mx_hosts){.tools = *tools, .n_at_once = n_at_once};
    uv_timer_init(tools->loop, &hosts->timer);
    hosts->timer.data = hosts;
    return hosts;
}

static void hosts_on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void mx_hosts_free(struct mx_hosts *hosts)
{
    struct mx_entry *entry, *next;

    if (hosts == NULL)
        return;
    entry = hosts->by_name;
    HASH_CLEAR(hh, hosts->by_name);
    for (; entry; entry = next) {
        next = entry->hh.next;
        entry_free(entry);
    }
    waiters_free(hosts->served);
    uv_close((uv_handle_t *)&hosts->timer, hosts_on_closed);
}

static struct mx_entry *hosts_add(struct mx_hosts *hosts, const char *name)
{
    struct mx_entry *entry = memory_alloc(sizeof(*entry));

    *entry = (struct mx_entry){.hosts = hosts, .name = strdup(name)};
    if (entry->name == NULL)
        memory_fail();
    HASH_ADD_KEYPTR(hh, hosts->by_name, entry->name, strlen(entry->name), entry);
    DL_APPEND(hosts->queued, entry);
    return entry;
}

void mx_hosts_ask(struct mx_hosts *hosts, const char *name, mx_host_seen *callback, void *context)
{
    struct mx_waiter *waiter = memory_alloc(sizeof(*waiter));
    struct mx_entry *entry;

    HASH_FIND_STR(hosts->by_name, name, entry);
    if (entry == NULL)
        entry = hosts_add(hosts, name);
    *waiter = (struct mx_waiter){.callback = callback, .context = context, .host = entry->host};
    if (entry->host)
        DL_APPEND(hosts->served, waiter);
    else
        DL_APPEND(entry->waiters, waiter);
    hosts_wake(hosts);
}
