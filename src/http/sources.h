/* SPDX-License-Identifier: MIT */
/**
 * Sources: how many connections each address has to one worker, and which is its oldest.
 *
 * A source is an IPv4 address or an IPv6 /64, which is what one customer of a network has. Loopback
 * and unix sockets are none: they are a proxy's, and stand for everybody.
 * The table is keyed with a secret, so that no one can choose addresses that collide in it.
 * Belongs to one worker and its thread.
 */
#pragma once

#include <stddef.h>

struct connection;
struct sockaddr;
struct sources;

struct source {
    size_t n_connections;
    struct connection *connections; /* oldest first; the caller's list */
};

/** Never returns NULL. */
struct sources *sources_new(void);

/** Takes NULL. All connections have left. */
void sources_free(struct sources *sources);

/** The source of an address, with one connection more; NULL: it has none. */
struct source *sources_enter(struct sources *sources, const struct sockaddr *address);

/** One connection less; the last one frees the source. Takes NULL. */
void sources_leave(struct sources *sources, struct source *source);
