/* SPDX-License-Identifier: MIT */
#include "daemon/worker/clients.h"

#include <endian.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* uthash asks malloc() and exits without a word. */
#define uthash_malloc(size) memory_alloc(size)
#include <uthash.h>

#include "daemon/worker/connection_counts.h"
#include "lib/base/arena.h"

enum {
    SECRET_LEN = 16,
};

struct client_key {
    unsigned char secret[SECRET_LEN]; /* uthash's function is not keyed: this makes it so */
    unsigned char network[sizeof(uint64_t)];
};

struct client_entry {
    struct client_network client; /* first: what callers hold is the entry */
    struct client_key key;
    UT_hash_handle hh;
};

struct clients {
    struct connection_counts *counts;
    struct client_entry *by_key;
    unsigned char secret[SECRET_LEN];
};

struct clients *clients_new(struct connection_counts *counts)
{
    struct clients *clients = memory_alloc(sizeof(*clients));

    *clients = (struct clients){.counts = counts};
    if (getrandom(clients->secret, SECRET_LEN, 0) != SECRET_LEN)
        abort();
    return clients;
}

void clients_free(struct clients *clients)
{
    free(clients);
}

/* An IPv6 /64 is its 64 bits; an IPv4 address follows 32 bits that no /64 begins with. */
static bool network_of_v4(struct in_addr address, uint64_t *ret_network)
{
    uint32_t bits = ntohl(address.s_addr);

    if (bits >> 24 == IN_LOOPBACKNET)
        return false;
    *ret_network = (uint64_t)UINT32_MAX << 32 | bits;
    return true;
}

static bool network_of_v6(const struct in6_addr *address, uint64_t *ret_network)
{
    struct in_addr mapped;
    uint64_t prefix;

    if (IN6_IS_ADDR_LOOPBACK(address))
        return false;
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        memcpy(&mapped, address->s6_addr + 12, sizeof(mapped));
        return network_of_v4(mapped, ret_network);
    }
    memcpy(&prefix, address->s6_addr, sizeof(prefix));
    *ret_network = be64toh(prefix);
    return true;
}

bool client_network_find(const struct sockaddr *address, uint64_t *ret_network)
{
    if (address->sa_family == AF_INET)
        return network_of_v4(((const struct sockaddr_in *)(const void *)address)->sin_addr,
                             ret_network);
    if (address->sa_family == AF_INET6)
        return network_of_v6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                             ret_network);
    return false;
}

struct client_network *clients_enter(struct clients *clients, const struct sockaddr *address,
                                     uint64_t now_ms)
{
    struct client_key key;
    struct client_entry *entry;
    uint64_t network;

    if (!client_network_find(address, &network))
        return NULL;
    memcpy(key.secret, clients->secret, SECRET_LEN);
    memcpy(key.network, &network, sizeof(network));
    HASH_FIND(hh, clients->by_key, &key, sizeof(key), entry);
    if (!entry) {
        entry = memory_alloc(sizeof(*entry));
        *entry = (struct client_entry){.key = key};
        HASH_ADD(hh, clients->by_key, key, sizeof(key), entry);
    }
    if (entry->client.n_connections == 0)
        entry->client.count = client_count_enter(clients->counts, network, now_ms);
    else if (entry->client.count)
        client_count_add(entry->client.count);
    entry->client.n_connections++;
    return &entry->client;
}

void clients_leave(struct clients *clients, struct client_network *client)
{
    struct client_entry *entry = (struct client_entry *)client;

    if (!entry)
        return;
    if (client->count)
        client_count_remove(client->count);
    if (--client->n_connections > 0)
        return;
    HASH_DELETE(hh, clients->by_key, entry);
    free(entry);
}

size_t client_network_total(const struct client_network *client)
{
    return client->count ? client_count_total(client->count) : client->n_connections;
}
