/* SPDX-License-Identifier: MIT */
#include "daemon/http/routes.h"

#include <stdio.h>

#include "daemon/http/policy_handler.h"
#include "lib/config/config.h"

static const struct {
    unsigned method;
    const char *name;
} route_methods[] = {
    {METHOD_GET, "GET"},
    {METHOD_HEAD, "HEAD"},
};

static void route_policy(const struct route_request *request)
{
    policy_handler_answer(request->req, request->domain->document);
}

static void route_admin(const struct route_request *request)
{
    admin_handler_answer(request->req, request->path, request->print_admin, request->admin_context);
}

static const struct route routes[] = {
    {SERVES_POLICIES, ROUTE_POLICY_HOST, "/.well-known/mta-sts.txt", METHOD_GET | METHOD_HEAD,
     route_policy},
    {SERVES_ADMIN, ROUTE_ANY_HOST, NULL, METHOD_GET | METHOD_HEAD, route_admin},
};

const struct route *route_find(enum serves serves, const struct route_request *request)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (routes[i].serves == serves && (routes[i].host == ROUTE_ANY_HOST || request->domain) &&
            (!routes[i].path || slice_eq_text(request->path, routes[i].path)))
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
