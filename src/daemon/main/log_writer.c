/* SPDX-License-Identifier: MIT */
#include "daemon/main/log_writer.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tls/cert_loader.h"
#include "daemon/worker/log_record.h"
#include "daemon/worker/log_ring.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/line_output.h"
#include "lib/base/log.h"

struct log_writer {
    int access_fd;
    enum access_format access;
    log_writer_request *on_request; /* NULL: nobody wants to know */
    void *context;
    unsigned n_refusals_logged[LOG_RECORD_KIND_COUNT]; /* since the last summary */
    bool needs_summary;                                /* of refusals */
    uint64_t n_refusals_unlogged;
    uint64_t n_dropped_unlogged;
    uint64_t n_dropped; /* lines of the access log that were not taken yet */
};

struct log_writer *log_writer_new(int access_fd, enum access_format access)
{
    struct log_writer *writer = memory_alloc(sizeof(*writer));

    *writer = (struct log_writer){.access_fd = access_fd, .access = access};
    return writer;
}

void log_writer_free(struct log_writer *writer)
{
    free(writer);
}

void log_writer_set_access(struct log_writer *writer, enum access_format access)
{
    writer->access = access;
}

void log_writer_on_request(struct log_writer *writer, log_writer_request *callback, void *context)
{
    writer->on_request = callback;
    writer->context = context;
}

static const char *name_peer(const struct log_record *record)
{
    if (record->peer[0] == '\0')
        return "a unix socket";
    if (strcmp(record->peer, LOG_RECORD_PEER_UNKNOWN) == 0)
        return "a peer that has reset the connection";
    return record->peer;
}

static void log_refused_handshake(const struct log_record *record, const char *peer)
{
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
    else if (record->server[0] == '\0')
        log_line(LOG_INFO, "handshake from %s refused: it names no host (no SNI)", peer);
    else
        log_line(LOG_INFO, "handshake from %s refused: the name %s is not served here", peer,
                 quoted);
}

static void log_unserved_host(const struct log_record *record, const char *peer)
{
    char quoted[ERR_QUOTE_MAX];

    if (record->server[0] == '\0')
        log_line(
            LOG_WARNING,
            "request from %s answered with %u: it has no Host; a proxy must pass the Host that "
            "the sender has sent",
            peer, record->status);
    else
        log_line(LOG_WARNING,
                 "request from %s answered with %u: Host %s is not served here; a proxy must pass "
                 "the Host that the sender has sent",
                 peer, record->status, err_quote(quoted, sizeof(quoted), slice_of(record->server)));
}

static void log_refusal(const struct log_record *record)
{
    const char *peer = name_peer(record);

    switch (record->kind) {
    case LOG_RECORD_UNTRUSTED:
        log_line(LOG_INFO, "connection from %s refused: it is not among proxy_protocol.trusted",
                 peer);
        break;
    case LOG_RECORD_BAD_HEADER:
        log_line(LOG_WARNING,
                 "connection from %s refused: expected a PROXY protocol header, because "
                 "proxy_protocol is set for this listener; found %s",
                 peer, record->fault);
        break;
    case LOG_RECORD_OTHER_PROTOCOL:
        log_line(LOG_WARNING, "connection from %s to %s refused: %s", peer, record->server,
                 record->fault);
        break;
    case LOG_RECORD_UNSERVED_HOST:
        log_unserved_host(record, peer);
        break;
    default:
        log_refused_handshake(record, peer);
    }
}

static void write_refusal(struct log_writer *writer, const struct log_record *record)
{
    /* By its kind: strangers that ask for any name must not hide what the operator has to fix. */
    unsigned *n_logged = &writer->n_refusals_logged[record->kind];

    writer->needs_summary = true;
    if (*n_logged == LOG_WRITER_REFUSALS) {
        writer->n_refusals_unlogged++;
        return;
    }
    ++*n_logged;
    log_refusal(record);
}

static void write_access(struct log_writer *writer, const struct log_record *record)
{
    char line[PIPE_BUF + 1];
    FILE *out = fmemopen(line, sizeof(line), "w");
    size_t len;

    if (writer->access == ACCESS_JSON)
        log_record_print_json(record, out);
    else
        log_record_print_text(record, out);
    fflush(out);
    len = (size_t)ftell(out);
    fclose(out);
    if (line_output_write(writer->access_fd, (struct slice){line, len}) != 0)
        writer->n_dropped++;
}

static void write_request(struct log_writer *writer, const struct log_record *record)
{
    if (writer->access != ACCESS_OFF)
        write_access(writer, record);
    if (writer->on_request)
        writer->on_request(writer->context, record);
}

void log_writer_write(struct log_writer *writer, struct log_ring *ring)
{
    const struct log_record *record;

    while ((record = log_ring_peek(ring))) {
        if (record->kind == LOG_RECORD_REQUEST)
            write_request(writer, record);
        else
            write_refusal(writer, record);
        log_ring_release(ring);
    }
    writer->n_dropped += log_ring_take_dropped(ring);
}

uint64_t log_writer_take_dropped(struct log_writer *writer)
{
    uint64_t n_dropped = writer->n_dropped + log_take_dropped();

    writer->n_dropped = 0;
    writer->n_dropped_unlogged += n_dropped;
    return n_dropped;
}

bool log_writer_needs_summary(const struct log_writer *writer)
{
    return writer->needs_summary || writer->n_dropped_unlogged > 0;
}

void log_writer_summarize(struct log_writer *writer)
{
    if (writer->n_refusals_unlogged > 0)
        log_line(LOG_INFO, "further refused connections and requests: %" PRIu64,
                 writer->n_refusals_unlogged);
    if (writer->n_dropped_unlogged > 0)
        log_line(LOG_WARNING, "log lines dropped: %" PRIu64, writer->n_dropped_unlogged);
    memset(writer->n_refusals_logged, 0, sizeof(writer->n_refusals_logged));
    writer->needs_summary = false;
    writer->n_refusals_unlogged = 0;
    writer->n_dropped_unlogged = 0;
}
