/* SPDX-License-Identifier: MIT */
/**
 * The router: every request comes here. It is checked, goes by its route to the one handler that it
 * is for, and is counted and logged when it is over.
 *
 * Runs in a worker's thread.
 * Source: RFC 8461 3.3, 8.2; RFC 9110 7.4 (421), 15.5.6 (405).
 */
#pragma once

#include "daemon/http/admin_handler.h"

struct challenge_reader;
struct report_intake;
struct snapshot;
struct st_h2o_hostconf_t;

struct router_options {
    const struct snapshot *snapshot;     /* what serves at each request */
    struct challenge_reader *challenges; /* NULL: none are here */
    admin_printer *print_admin;
    void *admin_context;
    const struct report_intake *intake; /* lives as long as the router */
};

/**
 * Makes the router the only handler of an h2o host that takes all names and paths.
 *
 * options  copied
 */
void router_register(struct st_h2o_hostconf_t *host, const struct router_options *options);
