/* SPDX-License-Identifier: MIT */
#include "daemon/worker/clients.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/worker/connection_counts.h"
#include "lib/base/slice.h"

/* Enters a numeric address; "" is a unix socket's. */
static struct client_network *enter(struct clients *clients, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr local = {.sa_family = AF_UNIX};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return clients_enter(clients, (const struct sockaddr *)&v4, 0);
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
        return clients_enter(clients, (const struct sockaddr *)&v6, 0);
    assert_string_equal(text, "");
    return clients_enter(clients, &local, 0);
}

/* The clients of one worker, which has the counts for itself. */
struct lone_worker {
    struct connection_counts *counts;
    struct clients *clients;
};

static struct lone_worker lone_worker_new(void)
{
    struct connection_counts *counts = connection_counts_new(16);

    return (struct lone_worker){counts, clients_new(counts)};
}

static void lone_worker_free(struct lone_worker *worker)
{
    clients_free(worker->clients);
    connection_counts_free(worker->counts);
}

static void test_same_client(void **state)
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
        struct lone_worker worker = lone_worker_new();
        struct client_network *a = enter(worker.clients, rows[i].a);
        struct client_network *b = enter(worker.clients, rows[i].b);
        size_t want = 1 + (size_t)rows[i].is_same;

        if (!a || !b || (a == b) != rows[i].is_same || a->n_connections != want ||
            client_network_total(a) != want) {
            print_error("row %zu: %s and %s are%s one client\n", i, rows[i].a, rows[i].b,
                        a == b ? "" : " not");
            n_failed++;
        }
        clients_leave(worker.clients, a);
        clients_leave(worker.clients, b);
        lone_worker_free(&worker);
    }
    assert_int_equal(n_failed, 0);
}

static void test_no_client(void **state)
{
    static const char *const rows[] = {
        "", "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1",
    };
    struct lone_worker worker = lone_worker_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (enter(worker.clients, rows[i]))
            fail_msg("row %zu: '%s' is a client", i, rows[i]);
    clients_leave(worker.clients, NULL);
    lone_worker_free(&worker);
}

/* The last connection frees it; who comes again begins at one. */
static void test_leave(void **state)
{
    struct lone_worker worker = lone_worker_new();
    struct client_network *client = enter(worker.clients, "192.0.2.1");

    (void)state;
    assert_ptr_equal(enter(worker.clients, "192.0.2.1"), client);
    assert_int_equal(client->n_connections, 2);
    assert_null(client->connections);
    clients_leave(worker.clients, client);
    assert_int_equal(client->n_connections, 1);
    assert_int_equal(client_network_total(client), 1);
    clients_leave(worker.clients, client);
    client = enter(worker.clients, "192.0.2.1");
    assert_int_equal(client->n_connections, 1);
    assert_int_equal(client_network_total(client), 1);
    clients_leave(worker.clients, client);
    lone_worker_free(&worker);
    clients_free(NULL);
}

/* Two workers: each has its own connections, and knows of the other's. */
static void test_total_of_two_workers(void **state)
{
    struct connection_counts *counts = connection_counts_new(16);
    struct clients *here = clients_new(counts), *there = clients_new(counts);
    struct client_network *a = enter(here, "192.0.2.1"), *b = enter(there, "192.0.2.1");

    (void)state;
    assert_ptr_equal(enter(there, "192.0.2.1"), b);
    assert_int_equal(a->n_connections, 1);
    assert_int_equal(b->n_connections, 2);
    assert_int_equal(client_network_total(a), 3);
    assert_int_equal(client_network_total(b), 3);
    clients_leave(here, a);
    assert_int_equal(client_network_total(b), 2);
    clients_leave(there, b);
    clients_leave(there, b);
    clients_free(here);
    clients_free(there);
    connection_counts_free(counts);
}

enum {
    MANY = 10000,
};

/* More clients than the counts have places for: each worker counts these for itself. */
static void test_many(void **state)
{
    struct lone_worker worker = lone_worker_new();
    struct client_network *entered[MANY];
    size_t n_without_count = 0;
    char text[INET6_ADDRSTRLEN];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "10.0.%zu.%zu", i / 256, i % 256);
        entered[i] = enter(worker.clients, text);
        assert_ptr_equal(enter(worker.clients, text), entered[i]);
        assert_int_equal(client_network_total(entered[i]), 2);
        n_without_count += entered[i]->count == NULL;
    }
    assert_in_range(n_without_count, 1, MANY - 1);
    for (size_t i = 0; i < MANY; i++) {
        clients_leave(worker.clients, entered[i]);
        clients_leave(worker.clients, entered[i]);
    }
    lone_worker_free(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_client), cmocka_unit_test(test_no_client),
        cmocka_unit_test(test_leave),       cmocka_unit_test(test_total_of_two_workers),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
