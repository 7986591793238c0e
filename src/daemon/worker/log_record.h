/* SPDX-License-Identifier: MIT */
/**
 * Events: what a worker has to tell the log, in a bounded ring that never makes it wait.
 *
 * One ring has one producer, its worker, and one consumer, the control plane, which formats and
 * writes: a write may block. A full ring drops and counts.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "lib/base/slice.h"

enum event_kind {
    EVENT_REQUEST,      /* a request was answered */
    EVENT_UNKNOWN_HOST, /* a handshake for a name that is nobody's was refused */
    EVENT_NO_CERTIFICATE,
    EVENT_LATE_CERTIFICATE, /* its first read has not ended yet */
    EVENT_UNTRUSTED,        /* a peer that may send no PROXY protocol header was turned away */
    EVENT_BAD_HEADER,       /* one that may has sent something else */
};

/** The peer of a connection that was reset before it was accepted: the kernel knows it no more. */
#define EVENT_PEER_UNKNOWN "unknown"

/**
 * Texts are cut where their buffers end. Those of the peer hold any bytes; however these are
 * escaped, a line printed has at most PIPE_BUF.
 */
struct event {
    enum event_kind kind;
    int64_t at_unix_ms;
    char peer[64];    /* address and port; empty: a unix socket; or EVENT_PEER_UNKNOWN */
    char server[256]; /* the SNI, or the Host on a plain listener */
    char method[16];
    char path[160];
    char agent[192];
    const char *tls_version; /* static; NULL: a plain connection */
    const char *fault;       /* static; what is wrong with the header */
    uint32_t body_len;
    uint16_t status;
};

struct event_ring;

/** capacity  events, rounded up to a power of two. Never returns NULL. */
struct event_ring *event_ring_new(size_t capacity);

/** Takes NULL. */
void event_ring_free(struct event_ring *ring);

/**
 * The slot to fill next, zeroed, or NULL (counted) if the ring is full. Producer only; nothing is
 * seen by the consumer before event_ring_commit().
 */
struct event *event_ring_reserve(struct event_ring *ring);
void event_ring_commit(struct event_ring *ring);

/**
 * The oldest event, or NULL. Consumer only; it stays until event_ring_release().
 */
const struct event *event_ring_peek(struct event_ring *ring);
void event_ring_release(struct event_ring *ring);

/** How many were dropped since the last call. Consumer only. */
uint64_t event_ring_take_dropped(struct event_ring *ring);

/** Copies `bytes` into a buffer of an event, cut and NUL-terminated. */
void event_set_text(char *buffer, size_t size, struct slice bytes);

/** Prints one line: time, peer, server, "method path", status, bytes, TLS version, "agent". */
void event_print_text(const struct event *event, FILE *out);

/** Prints one line holding a JSON object with the same members. */
void event_print_json(const struct event *event, FILE *out);
