/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/main/internal.h"
#include "daemon/tls/cert_loader.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "daemon/worker/worker.h"
#include "lib/base/err.h"
#include "lib/base/line_output.h"
#include "lib/base/log.h"

enum {
    REFUSALS_PER_SECOND = 5, /* anyone can send any name: a sample is logged, the rest counted */
    SECOND_MS = 1000,
};

static const char *name_peer(const struct log_record *record)
{
    if (record->peer[0] == '\0')
        return "a unix socket";
    if (strcmp(record->peer, LOG_RECORD_PEER_UNKNOWN) == 0)
        return "a peer that has reset the connection";
    return record->peer;
}

static void log_refusal(const struct log_record *record)
{
    const char *peer = name_peer(record);
    char quoted[ERR_QUOTE_MAX];

    err_quote(quoted, sizeof(quoted), slice_of(record->server));
    if (record->kind == LOG_RECORD_NO_CERTIFICATE)
        log_line(LOG_WARNING,
                 "handshake from %s refused: no certificate for %s can be used; --test-config says "
                 "why",
                 peer, quoted);
    else if (record->kind == LOG_RECORD_LATE_CERTIFICATE)
        log_line(LOG_WARNING,
                 "handshake from %s refused: the certificate for %s could not be read within %d s: "
                 "its storage is slow, or hangs",
                 peer, quoted, CERT_LOADER_TIMEOUT_MS / 1000);
    else if (record->kind == LOG_RECORD_UNTRUSTED)
        log_line(LOG_INFO, "connection from %s refused: it is not among proxy_protocol.trusted",
                 peer);
    else if (record->kind == LOG_RECORD_BAD_HEADER)
        log_line(LOG_WARNING, "connection from %s refused: PROXY protocol: %s", peer,
                 record->fault);
    else if (record->server[0] == '\0')
        log_line(LOG_INFO, "handshake from %s refused: it names no host (no SNI)", peer);
    else
        log_line(LOG_INFO, "handshake from %s refused: the name %s is not served here", peer,
                 quoted);
}

static void write_refusal(struct server *server, const struct log_record *record)
{
    if (server->refusals_logged == REFUSALS_PER_SECOND) {
        server->refusals_unlogged++;
        return;
    }
    server->refusals_logged++;
    log_refusal(record);
}

static void write_request(struct server *server, const struct log_record *record)
{
    char line[PIPE_BUF + 1];
    FILE *out = fmemopen(line, sizeof(line), "w");
    size_t len;

    if (server->config->access == ACCESS_JSON)
        log_record_print_json(record, out);
    else
        log_record_print_text(record, out);
    fflush(out);
    len = (size_t)ftell(out);
    fclose(out);
    if (line_output_write(STDOUT_FILENO, (struct slice){line, len}) != 0)
        server->lines_dropped++;
}

static void count_dropped(struct server *server)
{
    uint64_t n_dropped = server->lines_dropped + log_take_dropped();

    server->lines_dropped = 0;
    server->tally.log_lines_dropped += n_dropped;
    server->drops_unlogged += n_dropped;
}

static void write_record(struct server *server, const struct log_record *record)
{
    if (record->kind == LOG_RECORD_REQUEST)
        write_request(server, record);
    else
        write_refusal(server, record);
}

void events_summarize(struct server *server)
{
    if (server->refusals_unlogged > 0)
        log_line(LOG_INFO, "%" PRIu64 " more handshakes were refused", server->refusals_unlogged);
    if (server->drops_unlogged > 0)
        log_line(LOG_WARNING, "%" PRIu64 " log lines were dropped", server->drops_unlogged);
    server->refusals_logged = 0;
    server->refusals_unlogged = 0;
    server->drops_unlogged = 0;
}

static void on_second(uv_timer_t *timer)
{
    events_summarize(timer->data);
}

void events_write(struct server *server)
{
    for (size_t i = 0; i < server->n_workers; i++) {
        struct log_ring *ring = worker_log_ring(server->workers[i].worker);
        const struct log_record *record;

        while ((record = log_ring_peek(ring))) {
            write_record(server, record);
            log_ring_release(ring);
        }
        server->lines_dropped += log_ring_take_dropped(ring);
    }
    count_dropped(server);
    /* What a second has held back is told at its end, whether or not there is more to tell then. */
    if (!uv_is_active((uv_handle_t *)&server->second) &&
        (server->refusals_logged > 0 || server->drops_unlogged > 0))
        uv_timer_start(&server->second, on_second, SECOND_MS, 0);
}
