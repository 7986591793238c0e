/* SPDX-License-Identifier: MIT */
/**
 * A budget: how much memory the connections of a worker hold, and which connection has to end when
 * that is too much.
 *
 * The owner of a share says how much it holds (daemon/worker/cost.h); nothing is allocated here.
 * Shares are kept in classes of size, each class twice as large as the one before, so that every
 * operation takes constant time, however many connections there are.
 * Belongs to one worker and its thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;

/** What one connection holds; zeroed: nothing. A member of its owner. */
struct budget_share {
    struct budget_share *prev, *next; /* in its class, if it can be evicted */
    size_t bytes;
    uint64_t since_ms;         /* in its class */
    const size_t *n_of_client; /* of the same client, itself included; NULL: it has no client */
    bool is_evictable;
};

/** Never returns NULL. */
struct budget *budget_new(void);

/** Takes NULL. No share holds anything any more. */
void budget_free(struct budget *budget);

/** Sets how many bytes all shares together may hold. */
void budget_set_max(struct budget *budget, size_t bytes);

/**
 * Says how much the share holds from now on. The share can be evicted.
 *
 * now_ms  by the monotonic clock, as below
 */
void budget_hold(struct budget *budget, struct budget_share *share, size_t bytes, uint64_t now_ms);

/** From now on the share cannot be evicted; what it holds stays the same. */
void budget_pin(struct budget *budget, struct budget_share *share);

/** The share holds nothing any more. */
void budget_release(struct budget *budget, struct budget_share *share);

/** How many bytes all shares hold. */
size_t budget_held(const struct budget *budget);

/** Whether that is more than they may. */
bool budget_is_exceeded(const struct budget *budget);

/**
 * Finds the share to evict, among the few that have been in their class for longest: that with the
 * largest product of its bytes, its milliseconds in the class, its client's connections and the
 * bytes of its whole class.
 *
 * By size alone, a fetch in its handshake would end for the sake of many connections of a few peers
 * that hold a little each, for seconds. The bytes of the class protect a connection that is unlike
 * the many that an attack opens: a fetch after its handshake, beside thousands of handshakes.
 *
 * Returns NULL if none can be evicted.
 */
struct budget_share *budget_victim(const struct budget *budget, uint64_t now_ms);
