/* SPDX-License-Identifier: MIT */
#include "reports/peer_proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/slice.h"

static const struct {
    const char *address, *name, *addresses;
} known[] = {
    {"192.0.2.1", "mail.google.com", "192.0.2.1 192.0.2.9"},
    {"192.0.2.2", "mail.google.com", "192.0.2.1 192.0.2.9"}, /* says so itself alone */
    {"192.0.2.3", "evilgoogle.com", "192.0.2.3"},
    {"2001:db8::1", "google.com", "2001:db8::1"},
};

static size_t n_asked;
static uint64_t now_ms, takes_ms;

static bool test_find_name(const char *address, char ret_name[static DNS_NAME_MAX + 1])
{
    n_asked++;
    now_ms += takes_ms;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].address, address) == 0) {
            snprintf(ret_name, DNS_NAME_MAX + 1, "%s", known[i].name);
            return true;
        }
    return false;
}

static bool test_has_address(const char *name, const char *address)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return strstr(known[i].addresses, address) != NULL;
    return false;
}

static uint64_t test_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return now_ms;
}

static const struct peer_resolver resolver = {test_find_name, test_has_address};
static const struct clock test_clock = {.monotonic_ms = test_monotonic_ms};

static void test_hold(void **state)
{
    static const struct {
        const char *peer, *domain;
        bool holds;
    } rows[] = {
        {"192.0.2.1", "google.com", true},
        {"192.0.2.1", "Google.com", true},
        {"192.0.2.1", "mail.google.com", true},
        {"192.0.2.1", "a.mail.google.com", false},
        {"192.0.2.1", "com", false},
        {"192.0.2.1", "", false},
        {"192.0.2.1", "Google Inc.", false},
        {"192.0.2.2", "google.com", false},
        {"192.0.2.3", "google.com", false},
        {"192.0.2.4", "google.com", false},
        {"2001:db8::1", "google.com", true},
        {"", "google.com", false},
    };
    struct peer_proofs *proofs = peer_proofs_new(&resolver, &test_clock);

    (void)state;
    n_asked = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (peer_proofs_hold(proofs, rows[i].peer, rows[i].domain) != rows[i].holds)
            fail_msg("row %zu: expected %d", i, rows[i].holds);
    assert_int_equal(n_asked, 5); /* each address once */
    peer_proofs_free(proofs);
    peer_proofs_free(NULL);
}

/* Who comes from many addresses does not keep the reader busy for ever. */
static void test_bounds(void **state)
{
    struct peer_proofs *proofs = peer_proofs_new(&resolver, &test_clock);
    char peer[32];

    (void)state;
    n_asked = 0;
    for (int i = 0; i < PEER_LOOKUPS_MAX + 10; i++) {
        snprintf(peer, sizeof(peer), "198.51.%d.%d", i / 256, i % 256);
        assert_false(peer_proofs_hold(proofs, peer, "google.com"));
    }
    assert_int_equal(n_asked, PEER_LOOKUPS_MAX);
    assert_false(peer_proofs_hold(proofs, "192.0.2.1", "google.com"));
    peer_proofs_free(proofs);

    proofs = peer_proofs_new(&resolver, &test_clock);
    takes_ms = PEER_LOOKUPS_MS;
    assert_true(peer_proofs_hold(proofs, "192.0.2.1", "google.com"));
    assert_false(peer_proofs_hold(proofs, "2001:db8::1", "google.com"));
    assert_true(peer_proofs_hold(proofs, "192.0.2.1", "google.com"));
    peer_proofs_free(proofs);
}

/* /etc/hosts of the machine knows these both ways, without any DNS. */
static void test_system(void **state)
{
    char name[DNS_NAME_MAX + 1];

    (void)state;
    assert_false(peer_resolver_system.find_name("not an address", name));
    assert_false(peer_resolver_system.has_address("localhost", "not an address"));
    assert_true(peer_resolver_system.has_address("localhost", "127.0.0.1"));
    assert_false(peer_resolver_system.has_address("localhost", "192.0.2.1"));
    assert_true(peer_resolver_system.find_name("127.0.0.1", name));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold), cmocka_unit_test(test_bounds), cmocka_unit_test(test_system)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
