/* SPDX-License-Identifier: MIT */
#include "check/connection_pace.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"

enum {
    MINUTE_MS = 60 * 1000,
    BURST = 4, /* connections that need not wait for one another */
    N_SLOTS = 4096,
    KEY_SIZE = 16,
};

/* Where addresses are waited for. Those that fall into one slot at the same time are paced as if
 * they were one. */
struct pace_slot {
    unsigned char key[KEY_SIZE];
    uint64_t next_ms; /* when the next connection is due */
};

struct connection_pace {
    uint64_t gap_ms; /* 0: no limit */
    struct pace_slot slots[N_SLOTS];
};

struct connection_pace *connection_pace_new(unsigned per_minute)
{
    struct connection_pace *pace = memory_alloc(sizeof(*pace));

    memset(pace, 0, sizeof(*pace));
    pace->gap_ms = per_minute > 0 ? MINUTE_MS / per_minute : 0;
    return pace;
}

void connection_pace_free(struct connection_pace *pace)
{
    free(pace);
}

static void pace_key(const struct sockaddr *address, unsigned char key[KEY_SIZE])
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)address;

    memset(key, 0, KEY_SIZE);
    if (address->sa_family == AF_INET)
        memcpy(key, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
    else
        memcpy(key, &ipv6->sin6_addr, KEY_SIZE);
}

/* FNV-1a. */
static size_t pace_slot_of(const unsigned char key[KEY_SIZE])
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < KEY_SIZE; i++)
        hash = (hash ^ key[i]) * 16777619U;
    return (hash ^ hash >> 16) % N_SLOTS;
}

/* After an idle time of BURST gaps, BURST connections are due at once; none has more credit. */
uint64_t connection_pace_take(struct connection_pace *pace, const struct sockaddr *address,
                              uint64_t now_ms)
{
    uint64_t credit_ms = (BURST - 1) * pace->gap_ms,
             earliest_ms = now_ms > credit_ms ? now_ms - credit_ms : 0, due_ms;
    unsigned char key[KEY_SIZE];
    struct pace_slot *slot;

    if (pace->gap_ms == 0)
        return 0;
    pace_key(address, key);
    slot = &pace->slots[pace_slot_of(key)];
    /* Nobody waits for the address that was here. */
    if (memcmp(slot->key, key, KEY_SIZE) != 0 && slot->next_ms <= now_ms)
        slot->next_ms = 0;
    memcpy(slot->key, key, KEY_SIZE);
    due_ms = slot->next_ms > earliest_ms ? slot->next_ms : earliest_ms;
    slot->next_ms = due_ms + pace->gap_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}
