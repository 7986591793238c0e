/* SPDX-License-Identifier: MIT */
/**
 * First octets: what a peer speaks that does not speak what its listener expects. A proxy that is
 * set up otherwise than its listener is told how to change either.
 *
 * Runs in a worker's thread.
 */
#pragma once

struct connection;

/** Logs the cure if the connection's input begins as TLS, HTTP or a PROXY protocol header does, and
 * not as its listener expects. */
void first_octets_log(const struct connection *connection);
