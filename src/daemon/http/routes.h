/* SPDX-License-Identifier: MIT */
/**
 * Routes: which handler answers what, a row each.
 *
 * How large a request's body may be is no part of a row: h2o decides that before any handler, by
 * the context that the SNI has chosen (daemon/worker/sni.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <h2o.h>

#include "daemon/http/admin_handler.h"
#include "daemon/worker/serves.h"
#include "lib/base/slice.h"

struct challenge_reader;
struct config;
struct domain;
struct report_intake;

enum {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    ALLOW_MAX = 32, /* bytes of an Allow field, with its NUL */
};

/** The host that a route is for. */
enum route_host {
    ROUTE_ANY_HOST,
    ROUTE_ACME_HOSTS,   /* any, if certificates are ordered, here or by another replica */
    ROUTE_POLICY_HOST,  /* mta-sts.<domain> of a domain with a policy */
    ROUTE_REPORT_HOSTS, /* these and report_host, if reports can be kept */
};

/** What a request is for, and what its handler needs. */
struct route_request {
    h2o_req_t *req;
    struct slice path;           /* without the query */
    const char *host;            /* in stored form; empty: none was named */
    const struct domain *domain; /* whose policy host was asked for; NULL: another host was */
    const struct config *config; /* that serves */
    const struct report_intake *intake;
    struct challenge_reader *challenges; /* NULL: none are here */
    admin_printer *print_admin;
    void *admin_context;
};

typedef void route_handler(const struct route_request *request);

struct route {
    enum serves serves; /* of the listener */
    enum route_host host;
    const char *path; /* NULL: all; with a slash at its end: all below it */
    unsigned methods; /* METHOD_*; others get 405 */
    route_handler *handle;
};

/** The route of a request that has come in by such a listener; NULL: there is none. */
const struct route *route_find(enum serves serves, const struct route_request *request);

/** Whether the path is one of a policy host's: who asks for it with another host may have lost the
 * Host on the way. */
bool route_is_of_policy_host(enum serves serves, struct slice path);

/** Whether the route's handler answers the method. */
bool route_allows(const struct route *route, struct slice method);

/** Prints the route's methods as in an Allow field: "GET, HEAD". */
void route_print_methods(const struct route *route, char ret_allow[ALLOW_MAX]);
