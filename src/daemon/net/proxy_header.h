/* SPDX-License-Identifier: MIT */
/**
 * PROXY protocol headers: the first bytes of a connection, in which a proxy says whom it is for.
 *
 * Pure, safe from any thread.
 * Source: doc/proxy-protocol.txt of haproxy, 2020/03/05: 2.1 (version 1), 2.2 (version 2).
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct slice;

enum {
    /*
     * Bytes of a header. 2 promises 536 at most, but the additions of version 2 may go beyond: a
     * host name and the fields of a client's certificate are in them. nginx takes as many as this.
     */
    PROXY_HEADER_MAX = 4096,
};

enum proxy_header_state {
    PROXY_HEADER_INCOMPLETE, /* right so far */
    PROXY_HEADER_COMPLETE,
    PROXY_HEADER_REFUSED, /* whatever follows */
};

/** AF_INET, AF_INET6, or AF_UNSPEC: the connection's own peer is the client. */
union proxy_client {
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    struct sockaddr any;
};

struct proxy_header {
    enum proxy_header_state state;
    size_t len; /* COMPLETE: bytes of the header; what is behind them is the client's */
    union proxy_client client; /* COMPLETE */
    const char *fault;         /* REFUSED: why, static */
};

/** Whether the bytes begin as a header of either version does, good or not. */
bool proxy_header_begins(struct slice bytes);

/** Reads what has come of a header, of either version. */
struct proxy_header proxy_header_parse(struct slice bytes);
