/* SPDX-License-Identifier: MIT */
#include "daemon/worker/clients.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* Enters a numeric address; "" is a unix socket's. */
static struct client_network *enter(struct clients *clients, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return clients_enter(clients, (const struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        return clients_enter(clients, (const struct sockaddr *)&v6);
    assert_string_equal(text, "");
    return clients_enter(clients, &local);
}

static void test_same_source(void **state)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "193.0.2.1", false},
        {"0.0.0.0", "255.255.255.255", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "::192.0.2.1", false},
        {"192.0.2.1", "64:ff9b::192.0.2.1", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"2001:db8:0:ffff::1", "2001:db8:0:fffe::1", false},
        {"ffff:ffff:c000:0201::", "192.0.2.1", true}, /* no unicast address: nobody's */
        {"::2", "::3", true},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct clients *clients = clients_new();
        struct client_network *a = enter(clients, rows[i].a), *b = enter(clients, rows[i].b);

        if (!a || !b || (a == b) != rows[i].is_same ||
            a->n_connections != 1 + (size_t)rows[i].is_same) {
            print_error("row %zu: %s and %s are%s one source\n", i, rows[i].a, rows[i].b,
                        a == b ? "" : " not");
            n_failed++;
        }
        clients_leave(clients, a);
        clients_leave(clients, b);
        clients_free(clients);
    }
    assert_int_equal(n_failed, 0);
}

static void test_no_source(void **state)
{
    static const char *const rows[] = {
        "", "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1",
    };
    struct clients *clients = clients_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (enter(clients, rows[i]))
            fail_msg("row %zu: '%s' is a source", i, rows[i]);
    clients_leave(clients, NULL);
    clients_free(clients);
}

/* The last one out frees it; who comes again begins at one. */
static void test_leave(void **state)
{
    struct clients *clients = clients_new();
    struct client_network *source = enter(clients, "192.0.2.1");

    (void)state;
    assert_ptr_equal(enter(clients, "192.0.2.1"), source);
    assert_int_equal(source->n_connections, 2);
    assert_null(source->connections);
    clients_leave(clients, source);
    assert_int_equal(source->n_connections, 1);
    clients_leave(clients, source);
    source = enter(clients, "192.0.2.1");
    assert_int_equal(source->n_connections, 1);
    clients_leave(clients, source);
    clients_free(clients);
    clients_free(NULL);
}

enum {
    MANY = 10000,
};

static void test_many(void **state)
{
    struct clients *clients = clients_new();
    struct client_network *entered[MANY];
    char text[INET6_ADDRSTRLEN];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "10.0.%zu.%zu", i / 256, i % 256);
        entered[i] = enter(clients, text);
        assert_int_equal(entered[i]->n_connections, 1);
    }
    for (size_t i = 0; i < MANY; i++)
        clients_leave(clients, entered[i]);
    clients_free(clients);
}

/* A connection evicted every `every_ms`; when is the source barred, and until when? */
static void test_strikes(void **state)
{
    static const struct {
        uint64_t start_ms, every_ms;
        unsigned count;
        uint64_t barred_until_ms; /* 0: it never is */
    } rows[] = {
        {1000, 0, 63, 0},      {1000, 0, 64, 6000},  {1000, 1, 64, 6000},
        {0, 0, 64, 5000},      {1000, 79, 64, 6000}, /* the last after 4,977 ms */
        {1000, 80, 64, 0},                           /* the last after 5,040 ms: counted anew */
        {1000, 1000, 1000, 0},                       /* once a second for long */
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client_network source = {0};
        uint64_t at = rows[i].start_ms, until = rows[i].barred_until_ms;
        bool is_right;

        assert_false(client_network_is_barred(&source, at));
        for (unsigned n = 0; n < rows[i].count; n++, at += rows[i].every_ms)
            client_network_strike(&source, at);
        at -= rows[i].every_ms;
        is_right = until == 0 ? !client_network_is_barred(&source, at)
                              : client_network_is_barred(&source, at) &&
                                    client_network_is_barred(&source, until - 1) &&
                                    !client_network_is_barred(&source, until);
        if (!is_right) {
            print_error("row %zu: not barred until %llu ms\n", i, (unsigned long long)until);
            n_failed++;
        }
    }
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_source), cmocka_unit_test(test_no_source),
        cmocka_unit_test(test_leave),       cmocka_unit_test(test_many),
        cmocka_unit_test(test_strikes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
