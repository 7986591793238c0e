/* SPDX-License-Identifier: MIT */
#include "daemon/http/report_limiter.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <uthash.h>

#include "lib/base/arena.h"

enum {
    SETS = 1024,
    PLACES = 4, /* of a set */
};

/*
 * The generic cell rate algorithm: one number says what a source has used up, the time at which all
 * that it has sent would have been due at its rate.
 */
struct rate_cell {
    uint64_t network;
    uint64_t due_us;
};

struct report_limiter {
    struct report_rate per_source, all;
    pthread_mutex_t lock; /* of the rest */
    struct rate_cell total;
    struct rate_cell sets[SETS][PLACES];
    unsigned char secret[16]; /* uthash's function is not keyed: this makes it so */
};

struct report_limiter *report_limiter_new(struct report_rate per_source, struct report_rate all)
{
    struct report_limiter *limiter = calloc(1, sizeof(*limiter));

    if (!limiter)
        memory_fail();
    limiter->per_source = per_source;
    limiter->all = all;
    pthread_mutex_init(&limiter->lock, NULL);
    if (getrandom(limiter->secret, sizeof(limiter->secret), 0) != (ssize_t)sizeof(limiter->secret))
        abort();
    return limiter;
}

void report_limiter_free(struct report_limiter *limiter)
{
    if (!limiter)
        return;
    pthread_mutex_destroy(&limiter->lock);
    free(limiter);
}

/* The source's cell, or the one of its set that has least to lose. */
static struct rate_cell *limiter_find_cell(struct report_limiter *limiter, uint64_t network)
{
    unsigned char key[sizeof(limiter->secret) + sizeof(network)];
    struct rate_cell *set, *found;
    uint32_t hash;

    memcpy(key, limiter->secret, sizeof(limiter->secret));
    memcpy(key + sizeof(limiter->secret), &network, sizeof(network));
    HASH_JEN(key, sizeof(key), hash);
    found = set = limiter->sets[hash % SETS];
    for (size_t i = 0; i < PLACES; i++) {
        if (set[i].network == network)
            return &set[i];
        if (set[i].due_us < found->due_us)
            found = &set[i];
    }
    *found = (struct rate_cell){.network = network};
    return found;
}

/* Returns false if the cell has no room for another report; else *ret_due_us is with it. */
static bool rate_cell_admit(const struct rate_cell *cell, struct report_rate rate, uint64_t now_us,
                            uint64_t *ret_due_us)
{
    const uint64_t each_us = 1000000 / rate.per_second;
    uint64_t due_us = cell->due_us > now_us ? cell->due_us : now_us;

    *ret_due_us = due_us + each_us;
    return *ret_due_us - now_us <= each_us * rate.burst;
}

bool report_limiter_admit(struct report_limiter *limiter, const uint64_t *network, uint64_t now_ms)
{
    const uint64_t now_us = now_ms * 1000;
    struct rate_cell *source = NULL;
    uint64_t source_due_us = 0, all_due_us;
    bool is_admitted;

    pthread_mutex_lock(&limiter->lock);
    if (network)
        source = limiter_find_cell(limiter, *network);
    is_admitted =
        (!source || rate_cell_admit(source, limiter->per_source, now_us, &source_due_us)) &&
        rate_cell_admit(&limiter->total, limiter->all, now_us, &all_due_us);
    if (is_admitted) {
        limiter->total.due_us = all_due_us;
        if (source)
            source->due_us = source_due_us;
    }
    pthread_mutex_unlock(&limiter->lock);
    return is_admitted;
}
