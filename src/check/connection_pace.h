/* SPDX-License-Identifier: MIT */
/**
 * Connection pace: how often an address is connected to, whichever MX hosts lie there.
 *
 * A provider's few addresses carry the MX hosts of thousands of domains, each with a name of its
 * own. Pure, with a clock of the caller's. One owner, one thread.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

struct connection_pace;

/** per_minute  connections to one address; 0: as many as come. Never returns NULL. */
struct connection_pace *connection_pace_new(unsigned per_minute);

/** Takes NULL. */
void connection_pace_free(struct connection_pace *pace);

/**
 * Takes the next place in the row of connections to an address; its port is not looked at.
 *
 * now_ms  of a clock that never goes back
 * Returns how long to wait before connecting. The first few connections wait for nothing.
 */
uint64_t connection_pace_take(struct connection_pace *pace, const struct sockaddr *address,
                              uint64_t now_ms);
