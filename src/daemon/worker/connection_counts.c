/* SPDX-License-Identifier: MIT */
#include "daemon/worker/connection_counts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <uthash.h>

#include "lib/base/arena.h"

enum {
    PLACES_PER_CONNECTION = 4, /* so that a client finds its places taken once in a billion times */
    PLACES_PER_CLIENT = 16,
    COUNT_BITS = 24,
    STRIKE_BITS = 16,
    STRIKES_MAX = 64,
    STRIKES_MS = 5000,
};

/* A place of the table. Both words are changed by compare and swap, so that none is ever torn. */
struct client_count {
    _Atomic uint64_t tag_and_count; /* of the client's name, 40 bits, 0: never used; COUNT_BITS */
    _Atomic uint64_t time_and_strikes; /* ms of the first strike; STRIKE_BITS since */
};

/* uthash's function is not keyed: a secret before the client's network makes it so. */
struct client_secret {
    unsigned char bytes[16];
};

struct connection_counts {
    _Atomic size_t n_total;
    _Atomic size_t n_borrowed;
    struct client_secret secrets[2];
    size_t mask;
    struct client_count places[]; /* mask + 1, and as many as a client of the last one has */
};

struct connection_counts *connection_counts_new(size_t connections_max)
{
    struct connection_counts *counts;
    size_t n_places = 1024, size;

    while (n_places < connections_max * PLACES_PER_CONNECTION)
        n_places *= 2;
    size = sizeof(*counts) + (n_places + PLACES_PER_CLIENT) * sizeof(counts->places[0]);
    /* calloc(): most of its pages are never touched, and take no memory until they are. */
    counts = calloc(1, size);
    if (!counts)
        memory_fail();
    if (getrandom(counts->secrets, sizeof(counts->secrets), 0) != (ssize_t)sizeof(counts->secrets))
        abort();
    counts->mask = n_places - 1;
    return counts;
}

void connection_counts_free(struct connection_counts *counts)
{
    free(counts);
}

size_t connection_counts_add(struct connection_counts *counts)
{
    return atomic_fetch_add(&counts->n_total, 1) + 1;
}

void connection_counts_remove(struct connection_counts *counts)
{
    atomic_fetch_sub(&counts->n_total, 1);
}

size_t connection_counts_total(const struct connection_counts *counts)
{
    return atomic_load(&counts->n_total);
}

void connection_counts_borrow(struct connection_counts *counts)
{
    atomic_fetch_add(&counts->n_borrowed, 1);
}

bool connection_counts_repay(struct connection_counts *counts)
{
    size_t n_borrowed = atomic_load(&counts->n_borrowed);

    while (n_borrowed > 0)
        if (atomic_compare_exchange_weak(&counts->n_borrowed, &n_borrowed, n_borrowed - 1))
            return true;
    return false;
}

static uint32_t client_count_hash(const struct client_secret *secret, uint64_t network)
{
    unsigned char key[sizeof(*secret) + sizeof(network)];
    uint32_t hash;

    memcpy(key, secret, sizeof(*secret));
    memcpy(key + sizeof(*secret), &network, sizeof(network));
    HASH_JEN(key, sizeof(key), hash);
    return hash;
}

static size_t count_of_word(uint64_t tag_and_count)
{
    return tag_and_count & ((1U << COUNT_BITS) - 1);
}

static bool strikes_are_recent(uint64_t time_and_strikes, uint64_t now_ms)
{
    /* Another worker may have read the clock a little later. */
    int64_t age_ms = (int64_t)(now_ms - (time_and_strikes >> STRIKE_BITS));

    return time_and_strikes != 0 && age_ms < STRIKES_MS;
}

/*
 * The place to count a client with this tag at, with what stands there: where it has connections,
 * or where it had some, or a place that nobody needs. Returns NULL if all are taken.
 */
static struct client_count *client_count_find(struct client_count *places, uint64_t tag,
                                              uint64_t now_ms, uint64_t *ret_word)
{
    struct client_count *known = NULL, *unused = NULL;
    uint64_t known_word = 0, unused_word = 0;

    for (size_t i = 0; i < PLACES_PER_CLIENT; i++) {
        uint64_t word = atomic_load(&places[i].tag_and_count);
        bool has_tag = word >> COUNT_BITS == tag;

        if (has_tag && (!known || (count_of_word(word) > 0 && count_of_word(known_word) == 0))) {
            known = &places[i];
            known_word = word;
        } else if (!unused && count_of_word(word) == 0 &&
                   !strikes_are_recent(atomic_load(&places[i].time_and_strikes), now_ms)) {
            unused = &places[i];
            unused_word = word;
        }
    }
    *ret_word = known ? known_word : unused_word;
    return known ? known : unused;
}

/* Two workers may have given one new client two places at the same time. */
static bool client_count_is_alone(const struct client_count *places,
                                  const struct client_count *place, uint64_t tag)
{
    for (size_t i = 0; i < PLACES_PER_CLIENT; i++) {
        uint64_t word = atomic_load(&places[i].tag_and_count);

        if (&places[i] != place && word >> COUNT_BITS == tag && count_of_word(word) > 0)
            return false;
    }
    return true;
}

struct client_count *client_count_enter(struct connection_counts *counts, uint64_t network,
                                        uint64_t now_ms)
{
    uint64_t high = client_count_hash(&counts->secrets[0], network);
    uint64_t low = client_count_hash(&counts->secrets[1], network);
    uint64_t tag = (high << 8 | low >> 24) | 1;
    struct client_count *places = &counts->places[low & counts->mask], *place;
    uint64_t word;

    while ((place = client_count_find(places, tag, now_ms, &word))) {
        bool is_new = word >> COUNT_BITS != tag;
        uint64_t with_one = is_new ? tag << COUNT_BITS | 1 : word + 1;

        if (!atomic_compare_exchange_strong(&place->tag_and_count, &word, with_one))
            continue;
        if (is_new)
            atomic_store(&place->time_and_strikes, 0);
        if (count_of_word(with_one) > 1 || client_count_is_alone(places, place, tag))
            break;
        client_count_remove(place);
    }
    return place;
}

void client_count_add(struct client_count *count)
{
    atomic_fetch_add(&count->tag_and_count, 1);
}

void client_count_remove(struct client_count *count)
{
    atomic_fetch_sub(&count->tag_and_count, 1);
}

size_t client_count_total(const struct client_count *count)
{
    return count_of_word(atomic_load(&count->tag_and_count));
}

void client_count_strike(struct client_count *count, uint64_t now_ms)
{
    uint64_t before = atomic_load(&count->time_and_strikes), after;

    do {
        if (!strikes_are_recent(before, now_ms))
            after = now_ms << STRIKE_BITS | 1;
        else if ((before & UINT16_MAX) < STRIKES_MAX)
            after = before + 1;
        else
            return;
    } while (!atomic_compare_exchange_weak(&count->time_and_strikes, &before, after));
}

bool client_count_is_barred(const struct client_count *count, uint64_t now_ms)
{
    uint64_t strikes = atomic_load(&count->time_and_strikes);

    return (strikes & UINT16_MAX) >= STRIKES_MAX && strikes_are_recent(strikes, now_ms);
}
