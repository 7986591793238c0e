/* SPDX-License-Identifier: MIT */
/**
 * The router: every request comes here, and goes by host and path to the one handler that it is
 * for.
 *
 * Runs in a worker's thread.
 * Source: RFC 8461 3.3; RFC 9110 7.4 (421), 15.5.6 (405).
 */
#pragma once

struct st_h2o_hostconf_t;

/** Makes the router the only handler of an h2o host that takes all names and paths. */
void router_register(struct st_h2o_hostconf_t *host);
