/* SPDX-License-Identifier: MIT */
/**
 * MX visits: all that is to be seen of one MX host, from DNS to the last address.
 *
 * Its addresses are asked for first, then the TLSA records, then each address is connected to, one
 * after the other, asking for the host's name in the handshake. Without the name (SNI) an address
 * is tried again if that went wrong, and once if all goes well. Where the server takes a suite that
 * not all senders know, it is asked once more with those alone that all know.
 * One thread, that of the loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct connection_pace;
struct dns_source;
struct mx_host;
struct mx_trust;
struct mx_visit;

/** What all visits share; outlives them. */
struct mx_tools {
    uv_loop_t *loop;
    struct dns_source *dns;
    const struct mx_trust *trust;
    struct connection_pace *pace; /* of addresses of the Internet */
    const char *helo;             /* our name, in the stored form of names */
    uint16_t port;                /* 25 */
    bool allow_private;           /* to contact special addresses */
    int64_t now_unix_s;
    uint64_t connect_ms, reply_ms, probe_ms; /* limits of a probe */
    uint64_t visit_ms;                       /* after which no other probe begins */
};

typedef void mx_visited(void *context, const struct mx_host *host);

/**
 * Begins.
 *
 * name      in the form of names of records, no final dot; copied
 * callback  comes once, never from inside this call, unless the visit is cancelled; what it is
 *           given belongs to the visit
 * Returns a visit for mx_visit_free(); never NULL.
 */
struct mx_visit *mx_visit_start(const struct mx_tools *tools, const char *name,
                                mx_visited *callback, void *context);

/**
 * Ends the visit, if it has not ended, and frees what was seen; takes NULL. The loop has to go on
 * until its handles are closed.
 */
void mx_visit_free(struct mx_visit *visit);
