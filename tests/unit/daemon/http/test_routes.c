/* SPDX-License-Identifier: MIT */
#include "daemon/http/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/config.h"

/* What was asked for. */
enum host {
    HOST_NONE,
    HOST_POLICY,
    HOST_REPORTS,
};

/* Which requests have a route, by what the listener serves, and by the host. */
static void test_find(void **state)
{
    static const struct {
        enum serves serves;
        enum host host;
        const char *path;
        bool has_route;
    } rows[] = {
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/mta-sts.txt", true},
        {SERVES_POLICIES, HOST_NONE, "/.well-known/mta-sts.txt", false},
        {SERVES_POLICIES, HOST_REPORTS, "/.well-known/mta-sts.txt", false},
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/mta-sts.tx", false},
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/mta-sts.txt/", false},
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/MTA-STS.txt", false},
        {SERVES_POLICIES, HOST_POLICY, "/", false},
        {SERVES_POLICIES, HOST_POLICY, "", false},
        {SERVES_POLICIES, HOST_POLICY, "/metrics", false},
        {SERVES_POLICIES, HOST_POLICY, "/tlsrpt", true},
        {SERVES_POLICIES, HOST_REPORTS, "/tlsrpt", true},
        {SERVES_POLICIES, HOST_NONE, "/tlsrpt", false},
        {SERVES_POLICIES, HOST_REPORTS, "/tlsrpt/", false},
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/acme-challenge", false},
        {SERVES_POLICIES, HOST_POLICY, "/.well-known/acme-challenge/",
         true}, /* which is no token */
        {SERVES_POLICIES, HOST_NONE, "/.well-known/acme-challenge/a", true},
        {SERVES_POLICIES, HOST_NONE, "/.well-known/acme-challenges/a", false},
        {SERVES_CHALLENGES, HOST_NONE, "/.well-known/acme-challenge/a", true},
        {SERVES_CHALLENGES, HOST_NONE, "/", false},
        {SERVES_CHALLENGES, HOST_POLICY, "/.well-known/mta-sts.txt", false},
        {SERVES_CHALLENGES, HOST_NONE, "/metrics", false},
        {SERVES_ADMIN, HOST_NONE, "/metrics", true},
        {SERVES_ADMIN, HOST_NONE, "/.well-known/mta-sts.txt", true}, /* the page: there is none */
        {SERVES_ADMIN, HOST_NONE, "", true},
        {SERVES_ADMIN, HOST_NONE, "/status/", true},
        {SERVES_POLICIES, HOST_POLICY, "/status/", false},
        {SERVES_POLICIES, HOST_POLICY, "/status/index.html", false},
        {SERVES_POLICIES, HOST_POLICY, "/status", false},
    };
    static const char *const hosts[] = {"www.example.com", "mta-sts.example.com",
                                        "reports.example.com"};
    const struct acme_settings acme = {0};
    const struct domain domain = {0};
    const struct config config = {
        .report_host = "reports.example.com", .state = "/state", .acme = &acme};
    const struct route *policies = NULL, *admin = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct route_request request = {.path = slice_of(rows[i].path),
                                              .host = hosts[rows[i].host],
                                              .domain =
                                                  rows[i].host == HOST_POLICY ? &domain : NULL,
                                              .config = &config};
        const struct route *route = route_find(rows[i].serves, &request);

        if (!route != !rows[i].has_route || (route && route->serves != rows[i].serves))
            fail_msg("row %zu: wanted %d, seen %d", i, rows[i].has_route, route != NULL);
        if (route && route->serves == SERVES_ADMIN)
            admin = route;
        else if (route && rows[i].serves == SERVES_POLICIES && rows[i].host == HOST_POLICY &&
                 !policies)
            policies = route;
    }
    assert_ptr_not_equal(admin, policies);
    assert_ptr_not_equal(admin->handle, policies->handle);
}

/* A report needs a place where it is kept, and not every configuration has a report_host. */
static void test_reports(void **state)
{
    const struct domain domain = {0};
    const struct config nowhere = {.report_host = "reports.example.com"}, own = {.state = "/state"};
    struct route_request request = {.path = slice_of("/tlsrpt"),
                                    .host = "mta-sts.example.com",
                                    .domain = &domain,
                                    .config = &nowhere};

    (void)state;
    assert_null(route_find(SERVES_POLICIES, &request));
    request.config = &own;
    assert_non_null(route_find(SERVES_POLICIES, &request));
    assert_int_equal(route_find(SERVES_POLICIES, &request)->methods, METHOD_POST);
    request.domain = NULL;
    assert_null(route_find(SERVES_POLICIES, &request));
}

/* Without acme: there is no trace of it. */
static void test_no_challenges(void **state)
{
    const struct config config = {.state = "/state"};
    const struct route_request request = {
        .path = slice_of("/.well-known/acme-challenge/a"), .host = "", .config = &config};

    (void)state;
    assert_null(route_find(SERVES_POLICIES, &request));
    assert_null(route_find(SERVES_CHALLENGES, &request));
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
        {METHOD_POST, "POST", true, "POST"},
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_reports),
                                       cmocka_unit_test(test_no_challenges),
                                       cmocka_unit_test(test_paths_of_policy_hosts),
                                       cmocka_unit_test(test_methods)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
