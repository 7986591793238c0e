/* SPDX-License-Identifier: MIT */
#include "daemon/worker/clients.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <uthash.h>

#include "lib/base/arena.h"

enum {
    SECRET_LEN = 16,
    NETWORK_LEN = 8, /* an IPv6 /64; an IPv4 address, after four bytes that no /64 has */
    STRIKES_MAX = 64,
    STRIKES_MS = 5000,
};

struct client_key {
    unsigned char secret[SECRET_LEN]; /* uthash's function is not keyed: this makes it so */
    unsigned char network[NETWORK_LEN];
};

struct entry {
    struct client_network source; /* first: what callers hold is the entry */
    struct client_key key;
    UT_hash_handle hh;
};

struct clients {
    struct entry *by_key;
    unsigned char secret[SECRET_LEN];
};

struct clients *clients_new(void)
{
    struct clients *clients = memory_alloc(sizeof(*clients));

    clients->by_key = NULL;
    if (getrandom(clients->secret, SECRET_LEN, 0) != SECRET_LEN)
        abort();
    return clients;
}

void clients_free(struct clients *clients)
{
    free(clients);
}

static bool fill_v4(struct in_addr address, unsigned char network[NETWORK_LEN])
{
    static const unsigned char before[NETWORK_LEN - sizeof(address)] = {0xff, 0xff, 0xff, 0xff};

    if (ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET)
        return false;
    memcpy(network, before, sizeof(before));
    memcpy(network + sizeof(before), &address, sizeof(address));
    return true;
}

static bool fill_v6(const struct in6_addr *address, unsigned char network[NETWORK_LEN])
{
    struct in_addr mapped;

    if (IN6_IS_ADDR_LOOPBACK(address))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        memcpy(&mapped, address->s6_addr + 12, sizeof(mapped));
        return fill_v4(mapped, network);
    }
    memcpy(network, address->s6_addr, NETWORK_LEN);
    return true;
}

static bool fill_network(const struct sockaddr *address, unsigned char network[NETWORK_LEN])
{
    if (address->sa_family == AF_INET)
        return fill_v4(((const struct sockaddr_in *)(const void *)address)->sin_addr, network);
    if (address->sa_family == AF_INET6)
        return fill_v6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, network);
    return false;
}

struct client_network *clients_enter(struct clients *clients, const struct sockaddr *address)
{
    struct client_key key;
    struct entry *entry;

    if (!fill_network(address, key.network))
        return NULL;
    memcpy(key.secret, clients->secret, SECRET_LEN);
    HASH_FIND(hh, clients->by_key, &key, sizeof(key), entry);
    if (!entry) {
        entry = memory_alloc(sizeof(*entry));
        *entry = (struct entry){.key = key};
        HASH_ADD(hh, clients->by_key, key, sizeof(key), entry);
    }
    entry->source.n_connections++;
    return &entry->source;
}

void clients_leave(struct clients *clients, struct client_network *source)
{
    struct entry *entry = (struct entry *)source;

    if (!entry || --entry->source.n_connections > 0)
        return;
    HASH_DELETE(hh, clients->by_key, entry);
    free(entry);
}

static bool is_recent(const struct client_network *source, uint64_t now_ms)
{
    return source->n_strikes > 0 && now_ms - source->first_strike_ms < STRIKES_MS;
}

void client_network_strike(struct client_network *source, uint64_t now_ms)
{
    if (!is_recent(source, now_ms)) {
        source->n_strikes = 0;
        source->first_strike_ms = now_ms;
    }
    source->n_strikes++;
}

bool client_network_is_barred(const struct client_network *source, uint64_t now_ms)
{
    return source->n_strikes >= STRIKES_MAX && is_recent(source, now_ms);
}
