/* SPDX-License-Identifier: MIT */
/**
 * Read stages: what a connection passes before h2o's HTTP/1 gets it. Each takes its part off the
 * input: the PROXY protocol's header, the ClientHello, the head of the request.
 *
 * Runs in a worker's thread.
 */
#pragma once

struct connection;

/**
 * Looks at the socket's input, of which there is some, and maybe not all of it yet. May end the
 * stage by h2o_socket_read_stop(), and the connection.
 */
typedef void read_stage_take(struct connection *connection);

/** Calls `take` for what the socket's buffer holds, and whenever more has come. */
void read_stage_begin(struct connection *connection, read_stage_take *take);
