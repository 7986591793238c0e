/* SPDX-License-Identifier: MIT */
#include "daemon/http/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/config.h"

/* Which requests have a route, by what the listener serves, whether a policy host was asked for. */
static void test_find(void **state)
{
    static const struct {
        enum serves serves;
        bool is_policy_host;
        const char *path;
        bool has_route;
    } rows[] = {
        {SERVES_POLICIES, true, "/.well-known/mta-sts.txt", true},
        {SERVES_POLICIES, false, "/.well-known/mta-sts.txt", false},
        {SERVES_POLICIES, true, "/.well-known/mta-sts.tx", false},
        {SERVES_POLICIES, true, "/.well-known/mta-sts.txt/", false},
        {SERVES_POLICIES, true, "/.well-known/MTA-STS.txt", false},
        {SERVES_POLICIES, true, "/", false},
        {SERVES_POLICIES, true, "", false},
        {SERVES_POLICIES, true, "/metrics", false},
        {SERVES_ADMIN, false, "/metrics", true},
        {SERVES_ADMIN, false, "/.well-known/mta-sts.txt", true}, /* the page says there is none */
        {SERVES_ADMIN, false, "", true},
    };
    const struct domain domain = {0};
    const struct route *policies = NULL, *admin = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct route_request request = {.path = slice_of(rows[i].path),
                                              .domain = rows[i].is_policy_host ? &domain : NULL};
        const struct route *route = route_find(rows[i].serves, &request);

        if (!route != !rows[i].has_route || (route && route->serves != rows[i].serves))
            fail_msg("row %zu: wanted %d, seen %d", i, rows[i].has_route, route != NULL);
        if (route && route->serves == SERVES_ADMIN)
            admin = route;
        else if (route)
            policies = route;
    }
    assert_ptr_not_equal(admin, policies);
    assert_ptr_not_equal(admin->handle, policies->handle);
}

/* By its path alone, whatever the host. */
static void test_paths_of_policy_hosts(void **state)
{
    (void)state;
    assert_true(route_is_of_policy_host(SERVES_POLICIES, slice_of("/.well-known/mta-sts.txt")));
    assert_false(route_is_of_policy_host(SERVES_POLICIES, slice_of("/")));
    assert_false(route_is_of_policy_host(SERVES_ADMIN, slice_of("/.well-known/mta-sts.txt")));
}

static void test_methods(void **state)
{
    static const struct {
        unsigned methods;
        const char *method;
        bool is_allowed;
        const char *allow;
    } rows[] = {
        {0, "GET", false, ""},
        {METHOD_GET, "GET", true, "GET"},
        {METHOD_GET, "HEAD", false, "GET"},
        {METHOD_HEAD, "HEAD", true, "HEAD"},
        {METHOD_GET | METHOD_HEAD, "HEAD", true, "GET, HEAD"},
        {METHOD_GET | METHOD_HEAD, "get", false, "GET, HEAD"},
        {METHOD_GET | METHOD_HEAD, "GETS", false, "GET, HEAD"},
        {METHOD_GET | METHOD_HEAD, "", false, "GET, HEAD"},
        {METHOD_GET | METHOD_HEAD, "POST", false, "GET, HEAD"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct route route = {.methods = rows[i].methods};
        char allow[ALLOW_MAX];

        route_print_methods(&route, allow);
        if (route_allows(&route, slice_of(rows[i].method)) != rows[i].is_allowed ||
            strcmp(allow, rows[i].allow) != 0)
            fail_msg("row %zu: wanted %d and '%s', seen '%s'", i, rows[i].is_allowed, rows[i].allow,
                     allow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find),
                                       cmocka_unit_test(test_paths_of_policy_hosts),
                                       cmocka_unit_test(test_methods)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
