/* SPDX-License-Identifier: MIT */
/**
 * Connection counts: how many connections all workers have together, and each client has to them.
 *
 * The kernel spreads a client's connections unevenly over the workers, so a worker's own counts say
 * nothing about a cap. The table of clients has a fixed size and is keyed with a secret, so that
 * nobody can choose addresses that collide in it. Whoever finds its place in the table taken is
 * counted by each worker for itself.
 * Safe from any thread, without locks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_count;
struct connection_counts;

/** connections_max  how many there may be; decides the size of the table. Never returns NULL. */
struct connection_counts *connection_counts_new(size_t connections_max);

/** Takes NULL. Nobody holds a client_count any more. */
void connection_counts_free(struct connection_counts *counts);

/** Counts one connection more; returns how many there are with it. */
size_t connection_counts_add(struct connection_counts *counts);

/** Counts one connection less. */
void connection_counts_remove(struct connection_counts *counts);

/** How many connections there are. */
size_t connection_counts_total(const struct connection_counts *counts);

/** Notes that one connection is above the cap: the worker that has it could end no other for it. */
void connection_counts_borrow(struct connection_counts *counts);

/** Returns whether there is a connection above the cap for which the caller has to end another. */
bool connection_counts_repay(struct connection_counts *counts);

/**
 * Counts one connection more of a client, by its network (daemon/worker/clients.h).
 *
 * now_ms  by the monotonic clock, as below
 * Returns the count, which the caller holds until client_count_remove(), or NULL: the table has no
 * place for the client.
 */
struct client_count *client_count_enter(struct connection_counts *counts, uint64_t network,
                                        uint64_t now_ms);

/** Counts one connection more of a client whose count the caller holds. */
void client_count_add(struct client_count *count);

/** Counts one connection less. */
void client_count_remove(struct client_count *count);

/** How many connections the client has to all workers. */
size_t client_count_total(const struct client_count *count);

/** Notes that a connection of the client was evicted because the client has too many. */
void client_count_strike(struct client_count *count, uint64_t now_ms);

/**
 * Whether the client gets no new connections, because so many of its connections were evicted
 * within seconds. Also true if all its connections have ended since.
 */
bool client_count_is_barred(const struct client_count *count, uint64_t now_ms);
