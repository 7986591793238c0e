/* SPDX-License-Identifier: MIT */
#include "check/host_visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "lib/base/arena.h"

enum {
    HTTP_TOO_MANY_REQUESTS = 429,
    HEADER_LINE_MAX = 300,
};

struct host_visit {
    const struct host_visit_tools *tools;
    struct http_fetch *fetch;
    uint64_t started_ms;
    size_t at; /* the probe that is tried */
    bool has_begun;
    bool is_repeating; /* the ordinary fetch, to see whether `suspected` is a fault */
    struct behaviour_fault suspected;
    int tls_version; /* of the ordinary fetch */
    char if_none_match[HEADER_LINE_MAX], if_modified_since[HEADER_LINE_MAX]; /* "": no such */
    struct host_behaviour behaviour;
    host_visited *callback;
    void *context;
};

static void host_visit_on_fetched(void *context, const struct http_result *result);

static void host_visit_fetch(struct host_visit *visit, const char *host,
                             const struct http_manner *manner)
{
    visit->fetch = http_fetch_start(visit->tools->http, host, HOST_POLICY_PATH,
                                    (const struct sockaddr *)&visit->behaviour.goal.address, manner,
                                    host_visit_on_fetched, visit);
}

/* A probe that would say nothing. */
static bool host_visit_passes_over(const struct host_visit *visit, const struct host_probe *probe)
{
    if (probe->manner.tls_newest == TLS1_2_VERSION)
        return visit->tls_version <= TLS1_2_VERSION; /* the ordinary fetch has shown it */
    return probe->asks_for_changes && !visit->if_none_match[0] && !visit->if_modified_since[0];
}

static const char *host_visit_header(const char *line)
{
    return line[0] ? line : NULL;
}

static void host_visit_probe(struct host_visit *visit, const struct host_probe *probe)
{
    struct http_manner manner = probe->manner;

    if (probe->asks_other_host)
        manner.header_host = visit->tools->other_host;
    if (probe->asks_for_changes) {
        manner.headers[0] = host_visit_header(visit->if_none_match);
        manner.headers[1] = host_visit_header(visit->if_modified_since);
    }
    host_visit_fetch(visit,
                     probe->asks_other_name ? visit->tools->other_host : visit->behaviour.goal.host,
                     &manner);
}

/* Tries the next probe, or ends. */
static void host_visit_go_on(struct host_visit *visit)
{
    const struct host_probe *probe = host_probe_at(visit->at);

    while (probe && host_visit_passes_over(visit, probe))
        probe = host_probe_at(++visit->at);
    if (probe && uv_now(visit->tools->loop) - visit->started_ms <= visit->tools->visit_ms)
        host_visit_probe(visit, probe);
    else
        visit->callback(visit->context, &visit->behaviour);
}

static void host_visit_end_early(struct host_visit *visit)
{
    visit->at = HOST_PROBES_MAX;
    host_visit_go_on(visit);
}

static void host_visit_keep_header(char line[HEADER_LINE_MAX], const char *name, struct slice value)
{
    if (value.ptr)
        snprintf(line, HEADER_LINE_MAX, "%s: %.*s", name, SLICE_ARG(value));
}

static void host_visit_begin(struct host_visit *visit, const struct http_result *result)
{
    visit->has_begun = true;
    if (!host_probe_has_policy(result)) {
        host_visit_end_early(visit);
        return;
    }
    visit->tls_version = result->tls_version;
    host_visit_keep_header(visit->if_none_match, "If-None-Match", result->etag);
    host_visit_keep_header(visit->if_modified_since, "If-Modified-Since", result->last_modified);
    host_visit_go_on(visit);
}

static void host_visit_repeat(struct host_visit *visit)
{
    visit->is_repeating = true;
    host_visit_fetch(visit, visit->behaviour.goal.host, NULL);
}

static void host_visit_add_suspected(struct host_visit *visit)
{
    visit->behaviour.faults[visit->behaviour.n_faults++] = visit->suspected;
    visit->suspected = (struct behaviour_fault){0};
    visit->at++;
    host_visit_go_on(visit);
}

static void host_visit_judge_repetition(struct host_visit *visit, const struct http_result *result)
{
    visit->is_repeating = false;
    if (host_probe_has_policy(result))
        host_visit_add_suspected(visit);
    else
        host_visit_end_early(visit);
}

/* Too many requests were ours: a server that says so, or takes no connection any more, says nothing
 * of how it treats senders. */
static bool host_visit_is_over(const struct http_result *result)
{
    return result->end == HTTP_NOT_ROUTED || result->end == HTTP_UNREACHABLE ||
           result->status == HTTP_TOO_MANY_REQUESTS;
}

static void host_visit_judge(struct host_visit *visit, const struct http_result *result)
{
    const struct host_probe *probe = host_probe_at(visit->at);
    char text[HOST_FAULT_TEXT_MAX];

    if (host_visit_is_over(result)) {
        host_visit_end_early(visit);
        return;
    }
    if (!host_probe_judge(probe, result, &visit->suspected.finding, text)) {
        visit->at++;
        host_visit_go_on(visit);
        return;
    }
    visit->suspected.is_of_server = probe->is_of_server;
    visit->suspected.text = strdup(text);
    if (visit->suspected.text == NULL)
        memory_fail();
    if (probe->goal == PROBE_WANTS_POLICY)
        host_visit_repeat(visit);
    else
        host_visit_add_suspected(visit);
}

static void host_visit_on_fetched(void *context, const struct http_result *result)
{
    struct host_visit *visit = context;

    visit->fetch = NULL;
    if (!visit->has_begun)
        host_visit_begin(visit, result);
    else if (visit->is_repeating)
        host_visit_judge_repetition(visit, result);
    else
        host_visit_judge(visit, result);
}

struct host_visit *host_visit_start(const struct host_visit_tools *tools,
                                    const struct host_visit_goal *goal, host_visited *callback,
                                    void *context)
{
    struct host_visit *visit = memory_alloc(sizeof(*visit));

    *visit = (struct host_visit){.tools = tools,
                                 .started_ms = uv_now(tools->loop),
                                 .behaviour.goal = *goal,
                                 .callback = callback,
                                 .context = context};
    host_visit_fetch(visit, visit->behaviour.goal.host, NULL);
    return visit;
}

void host_visit_free(struct host_visit *visit)
{
    if (visit == NULL)
        return;
    http_fetch_cancel(visit->fetch);
    for (size_t i = 0; i < visit->behaviour.n_faults; i++)
        free(visit->behaviour.faults[i].text);
    free(visit->suspected.text);
    free(visit);
}
