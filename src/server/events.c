/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "http/event.h"
#include "http/worker.h"
#include "server/internal.h"

enum {
    REFUSALS_PER_SECOND = 5, /* anyone can send any name: a sample is logged, the rest counted */
};

static void log_refusal(const struct event *event)
{
    const char *peer = event->peer[0] != '\0' ? event->peer : "a unix socket";
    char quoted[ERR_QUOTE_MAX];

    err_quote(quoted, sizeof(quoted), slice_of(event->server));
    if (event->kind == EVENT_NO_CERTIFICATE)
        log_line(LOG_WARNING, "handshake from %s refused: there is no certificate for %s", peer,
                 quoted);
    else if (event->kind == EVENT_UNTRUSTED)
        log_line(LOG_INFO, "connection from %s refused: it is not among proxy_protocol.trusted",
                 peer);
    else if (event->kind == EVENT_BAD_HEADER)
        log_line(LOG_WARNING, "connection from %s refused: PROXY protocol: %s", peer, event->fault);
    else
        log_line(LOG_INFO, "handshake from %s refused: the name %s is not served here", peer,
                 quoted);
}

static void write_refusal(struct server *server, const struct event *event)
{
    /* The loop's time: the events of several workers come out of order. */
    uint64_t second = uv_now(&server->loop) / 1000;

    if (second != server->refusals_second) {
        if (server->refusals_unlogged > 0)
            log_line(LOG_INFO, "%" PRIu64 " more handshakes were refused",
                     server->refusals_unlogged);
        server->refusals_second = second;
        server->refusals_logged = 0;
        server->refusals_unlogged = 0;
    }
    if (server->refusals_logged++ >= REFUSALS_PER_SECOND) {
        server->refusals_unlogged++;
        return;
    }
    log_refusal(event);
}

static void write_event(struct server *server, const struct event *event)
{
    if (event->kind != EVENT_REQUEST)
        write_refusal(server, event);
    else if (server->config->access == ACCESS_JSON)
        event_print_json(event, stdout);
    else
        event_print_text(event, stdout);
}

void events_write(struct server *server)
{
    for (size_t i = 0; i < server->n_workers; i++) {
        struct event_ring *ring = worker_events(server->workers[i].worker);
        const struct event *event;
        uint64_t n_dropped;

        while ((event = event_ring_peek(ring))) {
            write_event(server, event);
            event_ring_release(ring);
        }
        n_dropped = event_ring_take_dropped(ring);
        server->tally.log_lines_dropped += n_dropped;
        if (n_dropped > 0)
            log_line(LOG_WARNING, "%" PRIu64 " log lines were dropped", n_dropped);
    }
    fflush(stdout);
}
