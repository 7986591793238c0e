/* SPDX-License-Identifier: MIT */
/**
 * One fetch as a sender makes it: connect, full handshake with SNI, GET, read to the end, close.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tls.h"

struct target;

enum outcome {
    OUTCOME_PENDING, /* it waits for the peer */
    OUTCOME_GOOD,
    OUTCOME_NO_CONNECTION,
    OUTCOME_NO_HANDSHAKE,
    OUTCOME_OTHER_CERTIFICATE, /* not the host's own */
    OUTCOME_CUT,               /* the connection ended before the answer did */
    OUTCOME_OTHER_STATUS,      /* than 200 */
    OUTCOME_OTHER_BODY,        /* than the host's */
    OUTCOME_LATE,
    OUTCOME_COUNT,
};

/** The name of an outcome as it is printed. */
extern const char *const outcome_names[OUTCOME_COUNT];

/** What all fetches have in common. */
struct client {
    struct sockaddr_storage server;
    socklen_t server_len;
    const struct secrets *secrets;
    bool checks_certificates;
    uint64_t random;
    int epoll_fd;
};

struct fetch {
    struct client *client;
    const struct target *target;
    int64_t due_ns; /* when it was to start; the caller's */
    int fd;         /* -1: no fetch goes on */
    bool has_sent;  /* the request */
    bool has_ended; /* what the server sends */
    struct tls tls;
};

/** Begins a fetch, whose descriptor is then watched by client->epoll_fd for `fetch`. */
enum outcome fetch_start(struct fetch *fetch, struct client *client, const struct target *target);

/** Goes on as far as the peer allows. Anything but OUTCOME_PENDING: it is over and closed. */
enum outcome fetch_advance(struct fetch *fetch);

/** Closes a fetch that goes on. */
void fetch_abandon(struct fetch *fetch);
