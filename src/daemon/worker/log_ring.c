/* SPDX-License-Identifier: MIT */
#include "daemon/worker/log_ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/worker/log_record.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"

struct log_ring {
    /* Only ever growing; the difference is what is in the ring. Each is written by one side. */
    _Atomic size_t n_pushed;
    _Atomic size_t n_released;
    _Atomic uint64_t n_dropped;
    const struct clock *clock;
    log_ring_notify *notify;
    void *context;
    size_t mask;
    struct log_record records[];
};

struct log_ring *log_ring_new(size_t capacity, const struct clock *clock, log_ring_notify *notify,
                              void *context)
{
    struct log_ring *ring;
    size_t size = 1;

    while (size < capacity)
        size *= 2;
    ring = memory_alloc(sizeof(*ring) + size * sizeof(ring->records[0]));
    *ring =
        (struct log_ring){.clock = clock, .notify = notify, .context = context, .mask = size - 1};
    return ring;
}

void log_ring_free(struct log_ring *ring)
{
    free(ring);
}

void log_ring_push(struct log_ring *ring, const struct log_record *record)
{
    size_t pushed = atomic_load_explicit(&ring->n_pushed, memory_order_relaxed);
    size_t released = atomic_load_explicit(&ring->n_released, memory_order_acquire);
    struct log_record *slot = &ring->records[pushed & ring->mask];

    if (pushed - released > ring->mask) {
        atomic_fetch_add_explicit(&ring->n_dropped, 1, memory_order_relaxed);
        return;
    }
    *slot = *record;
    slot->at_unix_ms = ring->clock->unix_ms(ring->clock);
    atomic_store_explicit(&ring->n_pushed, pushed + 1, memory_order_release);
    ring->notify(ring->context);
}

const struct log_record *log_ring_peek(struct log_ring *ring)
{
    size_t released = atomic_load_explicit(&ring->n_released, memory_order_relaxed);

    if (released == atomic_load_explicit(&ring->n_pushed, memory_order_acquire))
        return NULL;
    return &ring->records[released & ring->mask];
}

void log_ring_release(struct log_ring *ring)
{
    atomic_fetch_add_explicit(&ring->n_released, 1, memory_order_release);
}

uint64_t log_ring_take_dropped(struct log_ring *ring)
{
    return atomic_exchange_explicit(&ring->n_dropped, 0, memory_order_relaxed);
}
