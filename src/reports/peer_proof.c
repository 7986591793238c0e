/* SPDX-License-Identifier: MIT */
#include "reports/peer_proof.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <uthash.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

/* What is known of an address. */
struct peer_name {
    UT_hash_handle hh;
    char name[DNS_NAME_MAX + 1]; /* it leads back to the address; "": there is none */
};

struct peer_proofs {
    const struct peer_resolver *resolver;
    const struct clock *clock;
    struct arena *arena;
    struct peer_name *names;
    size_t n_lookups;
    uint64_t spent_ms;
};

static struct addrinfo *numeric_address(const char *address)
{
    static const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    return getaddrinfo(address, NULL, &hints, &found) == 0 ? found : NULL;
}

static bool system_find_name(const char *address, char ret_name[static DNS_NAME_MAX + 1])
{
    struct addrinfo *numeric = numeric_address(address);
    char name[NI_MAXHOST];
    struct err err;
    bool is_found;

    if (!numeric)
        return false;
    is_found = getnameinfo(numeric->ai_addr, numeric->ai_addrlen, name, sizeof(name), NULL, 0,
                           NI_NAMEREQD) == 0 &&
               dns_name_parse(slice_of(name), ret_name, NULL, &err) == 0;
    freeaddrinfo(numeric);
    return is_found;
}

static bool address_eq(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    return a->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

static bool system_has_address(const char *name, const char *address)
{
    struct addrinfo *numeric = numeric_address(address), *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    bool has = false;

    if (!numeric)
        return false;
    hints.ai_family = numeric->ai_family;
    if (getaddrinfo(name, NULL, &hints, &found) == 0)
        for (const struct addrinfo *at = found; at && !has; at = at->ai_next)
            has = address_eq(at->ai_addr, numeric->ai_addr);
    if (found)
        freeaddrinfo(found);
    freeaddrinfo(numeric);
    return has;
}

const struct peer_resolver peer_resolver_system = {.find_name = system_find_name,
                                                   .has_address = system_has_address};

struct peer_proofs *peer_proofs_new(const struct peer_resolver *resolver, const struct clock *clock)
{
    struct peer_proofs *proofs = memory_alloc(sizeof(*proofs));

    *proofs = (struct peer_proofs){.resolver = resolver, .clock = clock, .arena = arena_new(0)};
    return proofs;
}

void peer_proofs_free(struct peer_proofs *proofs)
{
    if (!proofs)
        return;
    HASH_CLEAR(hh, proofs->names);
    arena_free(proofs->arena);
    free(proofs);
}

static void peer_look_up(struct peer_proofs *proofs, const char *peer, struct peer_name *name)
{
    uint64_t begin_ms = proofs->clock->monotonic_ms(proofs->clock);

    proofs->n_lookups++;
    if (!proofs->resolver->find_name(peer, name->name) ||
        !proofs->resolver->has_address(name->name, peer))
        name->name[0] = '\0';
    proofs->spent_ms += proofs->clock->monotonic_ms(proofs->clock) - begin_ms;
}

bool peer_proofs_hold(struct peer_proofs *proofs, const char *peer, const char *domain)
{
    struct slice stored = slice_of(domain);
    struct peer_name *name;
    char parsed[DNS_NAME_MAX + 1];
    struct err err;

    if (peer[0] == '\0' || dns_name_parse(stored, parsed, NULL, &err) != 0 || !strchr(parsed, '.'))
        return false;
    HASH_FIND_STR(proofs->names, peer, name);
    if (!name) {
        if (proofs->n_lookups >= PEER_LOOKUPS_MAX || proofs->spent_ms >= PEER_LOOKUPS_MS)
            return false;
        name = arena_alloc(proofs->arena, sizeof(*name));
        peer_look_up(proofs, peer, name);
        HASH_ADD_KEYPTR(hh, proofs->names, arena_copy(proofs->arena, slice_of(peer)), strlen(peer),
                        name);
    }
    return name->name[0] != '\0' && dns_name_is_within(slice_of(name->name), slice_of(parsed));
}
