/* SPDX-License-Identifier: MIT */
/**
 * Clients: who has connections to this worker, how many, and which of these is the oldest.
 *
 * A client is an IPv4 address or an IPv6 /64, which is what one customer of a network has. Loopback
 * and unix sockets are no clients: they are a proxy's, and stand for everybody.
 * The table is keyed with a secret, so that nobody can choose addresses that collide in it.
 * Belongs to one worker and its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_count;
struct clients;
struct connection;
struct connection_counts;
struct sockaddr;

struct client_network {
    size_t n_connections;           /* to this worker */
    struct connection *connections; /* oldest first; the caller's list */
    struct client_count *count;     /* in all workers; NULL: there was no place to count it */
};

/** counts  those of all workers, which outlive the clients. Never returns NULL. */
struct clients *clients_new(struct connection_counts *counts);

/** Takes NULL. All connections have left. */
void clients_free(struct clients *clients);

/**
 * Counts one connection more from an address, here and among all workers.
 *
 * now_ms  by the monotonic clock
 * Returns its client, or NULL: the address is no client's.
 */
struct client_network *clients_enter(struct clients *clients, const struct sockaddr *address,
                                     uint64_t now_ms);

/** Counts one connection less; the last one frees the client. Takes NULL. */
void clients_leave(struct clients *clients, struct client_network *client);

/**
 * Finds the network that the clients behind an address are one by. Safe from any thread.
 *
 * Returns false if the address is no client's.
 */
bool client_network_find(const struct sockaddr *address, uint64_t *ret_network);

/** How many connections the client has to all workers, as far as they are counted. */
size_t client_network_total(const struct client_network *client);
