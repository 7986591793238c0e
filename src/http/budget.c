/* SPDX-License-Identifier: MIT */
#include "http/budget.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include <utlist.h>

#include "base/arena.h"

enum {
    CANDIDATES = 8, /* of a class, so that a fetch that has become its first need not go */
    CLASSES = sizeof(size_t) * CHAR_BIT + 1, /* by the number of bits that a size has */
};

struct budget {
    size_t held, max;
    struct budget_share *evictable[CLASSES]; /* in each class, the one that came first is first */
};

struct budget *budget_new(void)
{
    struct budget *budget = memory_alloc(sizeof(*budget));

    *budget = (struct budget){.max = SIZE_MAX};
    return budget;
}

void budget_free(struct budget *budget)
{
    free(budget);
}

void budget_set_max(struct budget *budget, size_t bytes)
{
    budget->max = bytes;
}

static size_t class_of(size_t bytes)
{
    size_t n_bits = 0;

    for (; bytes > 0; bytes /= 2)
        n_bits++;
    return n_bits;
}

void budget_hold(struct budget *budget, struct budget_share *share, size_t bytes, uint64_t now_ms)
{
    size_t class = class_of(bytes);

    if (share->is_evictable && class_of(share->bytes) != class)
        budget_pin(budget, share);
    budget->held += bytes - share->bytes;
    share->bytes = bytes;
    if (share->is_evictable)
        return;
    DL_APPEND(budget->evictable[class], share);
    share->since_ms = now_ms;
    share->is_evictable = true;
}

void budget_pin(struct budget *budget, struct budget_share *share)
{
    if (share->is_evictable)
        DL_DELETE(budget->evictable[class_of(share->bytes)], share);
    share->is_evictable = false;
}

void budget_release(struct budget *budget, struct budget_share *share)
{
    budget_pin(budget, share);
    budget->held -= share->bytes;
    share->bytes = 0;
}

size_t budget_held(const struct budget *budget)
{
    return budget->held;
}

bool budget_is_exceeded(const struct budget *budget)
{
    return budget->held > budget->max;
}

static double weight(const struct budget_share *share, uint64_t now_ms)
{
    double n_of_source = share->n_of_source ? (double)*share->n_of_source : 1;

    return (double)share->bytes * (double)(now_ms - share->since_ms + 1) * n_of_source;
}

struct budget_share *budget_victim(const struct budget *budget, uint64_t now_ms)
{
    struct budget_share *victim = NULL;

    for (size_t class = CLASSES; class -- > 0;) {
        struct budget_share *share = budget->evictable[class];

        for (int i = 0; share && i < CANDIDATES; i++, share = share->next)
            if (!victim || weight(share, now_ms) > weight(victim, now_ms))
                victim = share;
    }
    return victim;
}
