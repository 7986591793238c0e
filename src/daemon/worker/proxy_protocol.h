/* SPDX-License-Identifier: MIT */
/**
 * The read stage of the PROXY protocol: takes a header off a connection, and the client's address
 * from it.
 *
 * Whatever is no header ends the connection, so that nobody but a proxy that is trusted decides
 * what is logged and counted. h2o's own stage would pass such bytes on.
 * Runs in a worker's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct connections;
struct prefix;
struct st_h2o_socket_t;
union proxy_client;

/**
 * Whether the peer of an accepted socket may send a header: one on a unix socket may, and one with
 * a trusted address. Otherwise `sock` is closed, and its end is counted and logged.
 */
bool proxy_protocol_admit(struct connections *connections, struct st_h2o_socket_t *sock,
                          const struct prefix *trusted, size_t n_trusted);

/**
 * Takes the header off the connection's input.
 *
 * ret_client  untouched unless the header is whole
 * Returns whether it is; otherwise there is more to come, or the connection has ended.
 */
bool proxy_protocol_take(struct connection *connection, union proxy_client *ret_client);
