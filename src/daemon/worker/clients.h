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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct sockaddr;
struct clients;

struct client_network {
    size_t n_connections;
    struct connection *connections; /* oldest first; the caller's list */
    unsigned n_strikes;             /* since first_strike_ms, or longer ago */
    uint64_t first_strike_ms;
};

/** Never returns NULL. */
struct clients *clients_new(void);

/** Takes NULL. All connections have left. */
void clients_free(struct clients *clients);

/** The source of an address, with one connection more; NULL: it has none. */
struct client_network *clients_enter(struct clients *clients, const struct sockaddr *address);

/** One connection less; the last one frees the source. Takes NULL. */
void clients_leave(struct clients *clients, struct client_network *source);

/**
 * Notes that a connection of the source was evicted because it has too many.
 *
 * now_ms  by the monotonic clock
 */
void client_network_strike(struct client_network *source, uint64_t now_ms);

/** Whether so many were within seconds that the source gets no new ones, until these are over. */
bool client_network_is_barred(const struct client_network *source, uint64_t now_ms);
