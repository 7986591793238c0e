/* SPDX-License-Identifier: MIT */
/**
 * Log records: what a worker tells the log, and the lines of the access log.
 *
 * Pure, safe from any thread.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"

enum log_record_kind {
    LOG_RECORD_REQUEST,      /* a request was answered */
    LOG_RECORD_UNKNOWN_HOST, /* a handshake for a name that is nobody's was refused */
    LOG_RECORD_NO_CERTIFICATE,
    LOG_RECORD_LATE_CERTIFICATE, /* its first read has not ended yet */
    LOG_RECORD_UNTRUSTED,        /* a peer that may send no PROXY protocol header was turned away */
    LOG_RECORD_BAD_HEADER,       /* a trusted peer has sent something else */
    LOG_RECORD_OTHER_PROTOCOL,   /* than the listener expects: server is its address */
    LOG_RECORD_UNSERVED_HOST,    /* a policy was asked for with a Host that is not served */
    LOG_RECORD_KIND_COUNT,
};

/** The peer of a connection that was reset before the accept: the kernel has forgotten it. */
#define LOG_RECORD_PEER_UNKNOWN "unknown"

/**
 * Texts are cut where their buffers end, and hold any bytes of the peer's. A printed line has at
 * most PIPE_BUF bytes, however these are escaped.
 */
struct log_record {
    enum log_record_kind kind;
    int64_t at_unix_ms;
    char peer[64];    /* address and port; empty: a unix socket; or LOG_RECORD_PEER_UNKNOWN */
    char server[256]; /* the SNI, or the Host on a plain listener */
    char method[16];
    char path[160];
    char agent[192];
    const char *tls_version; /* static; NULL: a plain connection */
    const char *fault;       /* static; what is wrong, or what helps */
    uint32_t body_len;
    uint16_t status;
};

/** Copies `bytes` into a buffer of a record, cut and NUL-terminated. */
void log_record_set_text(char *buffer, size_t size, struct slice bytes);

/** Prints one line: time, peer, server, "method path", status, bytes, TLS version, "agent". */
void log_record_print_text(const struct log_record *record, FILE *out);

/** Prints one line holding a JSON object with the same members. */
void log_record_print_json(const struct log_record *record, FILE *out);
