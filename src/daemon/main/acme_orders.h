/* SPDX-License-Identifier: MIT */
/**
 * `acme:`: orders a certificate for each policy host that needs one.
 *
 * The plan says whom next; mta-stsd-check looks whether an order can succeed; then uacme orders, a
 * few hosts at a time. What cannot be known from the certificates is kept in the state directory,
 * for the next process. On the loop's thread, but for those functions that say otherwise. All take
 * NULL, for a configuration that orders nothing.
 */
#pragma once

#include <stdint.h>

#include "daemon/main/acme_hosts.h"

struct acme_commands;
struct acme_orders;
struct cert_store;
struct spawner;
struct uv_loop_s;

enum {
    ACME_ORDERS_AT_ONCE = 4,
    ACME_ORDERS_LOOK_MS = 60 * 1000, /* at least so often is looked whether a host is due */
};

struct acme_orders_options {
    struct uv_loop_s *loop;
    struct spawner *spawner; /* attached before the loop turns */
    const struct acme_commands *commands;
    struct config *const *config;    /* that serves */
    struct cert_store *const *store; /* its */
    const struct clock *clock;
    struct acme_stats *stats;
    uint64_t seed;
    unsigned look_ms;
    void (*installed)(void *context); /* there is a new certificate in the directory */
    void *context;
};

/** Reads what an earlier process has kept, and removes what it has left of orders under way.
 * Returns NULL if `commands` is NULL. */
struct acme_orders *acme_orders_new(const struct acme_orders_options *options);

/** Another configuration serves; see acme_hosts_set_config(). */
void acme_orders_set_config(struct acme_orders *orders);

/** Takes what a look at the certificate in use has found. name: the host's. Any thread. */
void acme_orders_see(struct acme_orders *orders, const char *name, const struct cert_state *state);

/** Looks soon whom to order, after hosts were seen. Any thread. */
void acme_orders_look(struct acme_orders *orders);

/** Returns 0, or -1: the host is not one of those to be ordered for. Any thread. */
int acme_orders_find(struct acme_orders *orders, const char *name, struct acme_host_info *ret_info);

/** The daemon ends: nothing is started any more. spawner_detach() comes next. */
void acme_orders_stop(struct acme_orders *orders);

/** After acme_orders_stop(), when the loop has ended. */
void acme_orders_free(struct acme_orders *orders);
