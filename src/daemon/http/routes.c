/* SPDX-License-Identifier: MIT */
#include "daemon/http/routes.h"

#include <stdio.h>
#include <string.h>

#include "daemon/http/challenge_handler.h"
#include "daemon/http/policy_handler.h"
#include "daemon/http/report_handler.h"
#include "daemon/http/status_handler.h"
#include "daemon/worker/worker.h"
#include "lib/acme/challenge.h"
#include "lib/config/config.h"

static const struct {
    unsigned method;
    const char *name;
} route_methods[] = {
    {METHOD_GET, "GET"},
    {METHOD_HEAD, "HEAD"},
    {METHOD_POST, "POST"},
};

static void route_policy(const struct route_request *request)
{
    policy_handler_answer(request->req, request->domain->document);
}

static bool is_report_host(const struct route_request *request)
{
    const char *report_host = request->config->report_host;

    return report_host && strcmp(request->host, report_host) == 0;
}

/* A policy host's is smaller: its reports are of one domain, and below 2 kB. */
static void route_report(const struct route_request *request)
{
    const struct report_request report = {
        .host = slice_of(request->host),
        .body_max = is_report_host(request) ? REPORT_HOST_BODY_MAX : POLICY_HOST_BODY_MAX,
        .connections_max = request->config->connections_max,
    };

    report_handler_answer(request->req, &report, request->intake);
}

static void route_challenge(const struct route_request *request)
{
    challenge_handler_answer(request->req, request->path, request->config->acme->challenges_at,
                             request->challenges);
}

static void route_admin(const struct route_request *request)
{
    admin_handler_answer(request->req, request->path, request->print_admin, request->admin_context);
}

static void route_status(const struct route_request *request)
{
    status_handler_answer(request->req, request->path, request->config->state);
}

static void route_status_redirect(const struct route_request *request)
{
    status_handler_redirect(request->req);
}

static const struct route routes[] = {
    {SERVES_POLICIES, ROUTE_POLICY_HOST, "/.well-known/mta-sts.txt", METHOD_GET | METHOD_HEAD,
     route_policy},
    {SERVES_POLICIES, ROUTE_REPORT_HOSTS, REPORT_PATH, METHOD_POST, route_report},
    /* For proxies that forward what comes to port 80. */
    {SERVES_POLICIES, ROUTE_ACME_HOSTS, CHALLENGE_URL_PATH, METHOD_GET | METHOD_HEAD,
     route_challenge},
    {SERVES_CHALLENGES, ROUTE_ACME_HOSTS, CHALLENGE_URL_PATH, METHOD_GET | METHOD_HEAD,
     route_challenge},
    {SERVES_ADMIN, ROUTE_ANY_HOST, STATUS_PATH, METHOD_GET | METHOD_HEAD, route_status},
    {SERVES_ADMIN, ROUTE_ANY_HOST, "/status", METHOD_GET | METHOD_HEAD, route_status_redirect},
    {SERVES_ADMIN, ROUTE_ANY_HOST, NULL, METHOD_GET | METHOD_HEAD, route_admin},
};

static bool route_is_for_host(const struct route *route, const struct route_request *request)
{
    switch (route->host) {
    case ROUTE_ANY_HOST:
        return true;
    case ROUTE_ACME_HOSTS:
        return request->config->acme;
    case ROUTE_POLICY_HOST:
        return request->domain != NULL;
    default:
        return request->config->state && (request->domain || is_report_host(request));
    }
}

static bool route_has_path(const struct route *route, struct slice path)
{
    size_t len = route->path ? strlen(route->path) : 0;

    if (len > 0 && route->path[len - 1] == '/')
        return slice_starts_with(path, route->path);
    return len == 0 || slice_eq_text(path, route->path);
}

const struct route *route_find(enum serves serves, const struct route_request *request)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].serves == serves && route_is_for_host(&routes[i], request) &&
            route_has_path(&routes[i], request->path))
            return &routes[i];
    return NULL;
}

bool route_is_of_policy_host(enum serves serves, struct slice path)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].serves == serves && routes[i].host == ROUTE_POLICY_HOST && routes[i].path &&
            slice_eq_text(path, routes[i].path))
            return true;
    return false;
}

bool route_allows(const struct route *route, struct slice method)
{
    for (size_t i = 0; i < ARRAY_LEN(route_methods); i++)
        if (route->methods & route_methods[i].method &&
            slice_eq_text(method, route_methods[i].name))
            return true;
    return false;
}

void route_print_methods(const struct route *route, char ret_allow[ALLOW_MAX])
{
    size_t len = 0;

    ret_allow[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(route_methods); i++)
        if (route->methods & route_methods[i].method)
            len += (size_t)snprintf(ret_allow + len, ALLOW_MAX - len, "%s%s", len > 0 ? ", " : "",
                                    route_methods[i].name);
}
