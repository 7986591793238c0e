/* SPDX-License-Identifier: MIT */
/**
 * The stage before h2o on listeners that ask for it: takes a PROXY protocol header off a connection
 * and the client's address from it.
 *
 * Whatever is no header ends the connection, so that nobody but a proxy that is trusted decides
 * what is logged and counted. h2o's own stage would pass such bytes on.
 */
#pragma once

#include <stdbool.h>

#include <h2o.h>

struct connection;
struct listener;

/** Whether the peer of a new connection may send headers; one that may not is counted and logged.
 */
bool proxy_admit(const struct listener *listener, h2o_socket_t *sock);

/** Reads the header, then goes on with connection_begin(). */
void proxy_begin(struct connection *connection);
