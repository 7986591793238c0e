/* SPDX-License-Identifier: MIT */
#include "daemon/net/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void print_tcp(const char *host, uint16_t port, uint32_t scope, char text[ADDRESS_TEXT_MAX])
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope};

    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        address_print((struct sockaddr *)&v4, text);
        return;
    }
    assert_int_equal(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
    address_print((struct sockaddr *)&v6, text);
}

static void test_tcp(void **state)
{
    static const struct {
        const char *host;
        uint16_t port;
        uint32_t scope;
        const char *want;
    } rows[] = {
        {"192.0.2.1", 25, 0, "192.0.2.1:25"},
        {"2001:db8::1", 65535, 0, "[2001:db8::1]:65535"},
        {"::ffff:192.0.2.1", 443, 0, "192.0.2.1:443"},
        {"::ffff:0:192.0.2.1", 443, 0, "[::ffff:0:c000:201]:443"}, /* translated, not mapped */
        {"::", 0, 0, "[::]:0"},
        {"fe80::1", 443, 2, "[fe80::1%2]:443"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, UINT32_MAX,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char seen[ADDRESS_TEXT_MAX];

        print_tcp(rows[i].host, rows[i].port, rows[i].scope, seen);
        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted '%s', seen '%s'", i, rows[i].want, seen);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host, *want;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
    };
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/a.sock"};
    char seen[ADDRESS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(1)};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(1)};

        if (inet_pton(AF_INET, rows[i].host, &v4.sin_addr) == 1) {
            address_print_host((struct sockaddr *)&v4, seen);
        } else {
            assert_int_equal(inet_pton(AF_INET6, rows[i].host, &v6.sin6_addr), 1);
            address_print_host((struct sockaddr *)&v6, seen);
        }
        assert_string_equal(seen, rows[i].want);
    }
    address_print_host((struct sockaddr *)&local, seen);
    assert_string_equal(seen, "");
}

/* The longest path has no room for its NUL. */
static void test_unix(void **state)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/a.sock"};
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    char seen[ADDRESS_TEXT_MAX];

    (void)state;
    address_print((struct sockaddr *)&local, seen);
    assert_string_equal(seen, "unix:/run/a.sock");
    memset(local.sun_path, 'a', sizeof(local.sun_path));
    address_print((struct sockaddr *)&local, seen);
    assert_int_equal(strlen(seen), strlen("unix:") + sizeof(local.sun_path));
    address_print(&none, seen);
    assert_string_equal(seen, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_unix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
