/* SPDX-License-Identifier: MIT */
/**
 * What the running daemon knows of the hosts that it orders certificates for.
 */
#pragma once

#include <stdint.h>

struct daemon_orders;

/** What the daemon says of a host; the texts belong to the answer. */
struct daemon_order {
    const char *host;
    const char *state;   /* a word */
    int64_t next_unix_s; /* when it is tried next; 0: as soon as there is room */
    const char *reason;  /* why the last try brought no certificate; "" */
};

/**
 * Asks the daemon on the control socket of a configuration.
 *
 * Returns NULL if none answers there.
 */
struct daemon_orders *daemon_orders_ask(const char *control_path);

/** Takes NULL. */
void daemon_orders_free(struct daemon_orders *orders);

/** NULL: the daemon orders nothing for the host. Takes NULL. */
const struct daemon_order *daemon_orders_find(const struct daemon_orders *orders, const char *host);
