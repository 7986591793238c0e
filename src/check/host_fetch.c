/* SPDX-License-Identifier: MIT */
#include "check/host_fetch.h"

#include <stdio.h>
#include <string.h>

#include "check/check_host.h"
#include "check/host_visits.h"
#include "lib/base/arena.h"

enum {
    PATIENCE_MS = 2000, /* a server that takes longer is not asked a dozen times more */
    TEXT_MAX = HOST_FAULT_TEXT_MAX + DNS_NAME_MAX + 32,
};

struct host_fetch {
    struct host_fetch_order order;
    host_fetched *callback;
    void *context;
};

static struct slice host_fetch_keep(const struct host_fetch *fetch, struct slice bytes)
{
    return bytes.ptr ? (struct slice){arena_copy(fetch->order.arena, bytes), bytes.len} : bytes;
}

static void host_fetch_keep_result(const struct host_fetch *fetch, const struct http_result *result)
{
    struct http_result *kept = &fetch->order.address->result;

    *kept = *result;
    kept->why = arena_copy(fetch->order.arena, slice_of(result->why));
    kept->media_type = host_fetch_keep(fetch, result->media_type);
    kept->location = host_fetch_keep(fetch, result->location);
    kept->encoding = host_fetch_keep(fetch, result->encoding);
    kept->body = host_fetch_keep(fetch, result->body);
    kept->etag = kept->last_modified = (struct slice){NULL, 0};
}

static char *host_fetch_keep_text(const struct host_fetch *fetch, const char *text,
                                  const char *seen_host)
{
    char longer[TEXT_MAX];

    if (strcmp(seen_host, fetch->order.host) == 0)
        return arena_copy(fetch->order.arena, slice_of(text));
    snprintf(longer, sizeof(longer), "%s (tried with %s)", text, seen_host);
    return arena_copy(fetch->order.arena, slice_of(longer));
}

static void host_fetch_on_visited(void *context, const void *seen)
{
    const struct host_fetch *fetch = context;
    const struct host_behaviour *behaviour = seen;
    struct host_address *address = fetch->order.address;
    struct behaviour_fault *faults =
        arena_array(fetch->order.arena, behaviour->n_faults, sizeof(*faults));
    bool is_ours = strcmp(behaviour->goal.canonical, address->canonical) == 0;

    for (size_t i = 0; i < behaviour->n_faults; i++) {
        if (!is_ours && !behaviour->faults[i].is_of_server)
            continue;
        faults[address->n_faults] = behaviour->faults[i];
        faults[address->n_faults++].text =
            host_fetch_keep_text(fetch, behaviour->faults[i].text, behaviour->goal.host);
    }
    address->faults = faults;
    fetch->callback(fetch->context);
}

static void host_fetch_visit(struct host_fetch *fetch)
{
    const struct host_address *address = fetch->order.address;
    struct host_visit_goal goal = {.address = address->address};

    snprintf(goal.host, sizeof(goal.host), "%s", fetch->order.host);
    snprintf(goal.canonical, sizeof(goal.canonical), "%s", address->canonical);
    host_visits_ask(fetch->order.visits, &goal, host_fetch_on_visited, fetch);
}

/* How a server behaves beside its answer is worth a look where the answer is good. */
static void host_fetch_on_fetched(void *context, const struct http_result *result)
{
    struct host_fetch *fetch = context;

    host_fetch_keep_result(fetch, result);
    if (result->time_ms <= PATIENCE_MS && host_probe_has_policy(result))
        host_fetch_visit(fetch);
    else
        fetch->callback(fetch->context);
}

void host_fetch_start(const struct host_fetch_order *order, host_fetched *callback, void *context)
{
    struct host_fetch *fetch = arena_alloc(order->arena, sizeof(*fetch));

    *fetch = (struct host_fetch){*order, callback, context};
    order->address->is_asked = true;
    http_fetch_start(order->http, order->host, HOST_POLICY_PATH,
                     (const struct sockaddr *)&order->address->address, NULL, host_fetch_on_fetched,
                     fetch);
}
