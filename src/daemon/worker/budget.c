/* SPDX-License-Identifier: MIT */
#include "daemon/worker/budget.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include <utlist.h>

#include "lib/base/arena.h"

enum {
    CANDIDATES = 8, /* of a class: a fetch that has become its first is spared for others */
    CLASSES = sizeof(size_t) * CHAR_BIT + 1, /* by the number of bits that a size has */
};

struct budget_class {
    struct budget_share *shares; /* those that can be evicted, in the order in which they came */
    size_t bytes;                /* of these shares */
};

struct budget {
    size_t held, max;
    struct budget_class classes[CLASSES];
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

static struct budget_class *budget_class(struct budget *budget, size_t bytes)
{
    size_t n_bits = 0;

    for (; bytes > 0; bytes /= 2)
        n_bits++;
    return &budget->classes[n_bits];
}

void budget_hold(struct budget *budget, struct budget_share *share, size_t bytes, uint64_t now_ms)
{
    struct budget_class *class = budget_class(budget, bytes);
    bool keeps_place = share->is_evictable && budget_class(budget, share->bytes) == class;

    if (keeps_place)
        class->bytes -= share->bytes;
    else
        budget_pin(budget, share);
    budget->held += bytes - share->bytes;
    class->bytes += bytes;
    share->bytes = bytes;
    if (keeps_place)
        return;
    DL_APPEND(class->shares, share);
    share->since_ms = now_ms;
    share->is_evictable = true;
}

void budget_pin(struct budget *budget, struct budget_share *share)
{
    struct budget_class *class = budget_class(budget, share->bytes);

    if (!share->is_evictable)
        return;
    DL_DELETE(class->shares, share);
    class->bytes -= share->bytes;
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

static double budget_weight(const struct budget_class *class, const struct budget_share *share,
                            uint64_t now_ms)
{
    double n_of_client = share->n_of_client ? (double)*share->n_of_client : 1;

    return (double)share->bytes * (double)(now_ms - share->since_ms + 1) * n_of_client *
           (double)class->bytes;
}

struct budget_share *budget_victim(const struct budget *budget, uint64_t now_ms)
{
    struct budget_share *victim = NULL;
    double victim_weight = -1;

    for (size_t i = CLASSES; i-- > 0;) {
        const struct budget_class *class = &budget->classes[i];
        struct budget_share *share = class->shares;

        for (int n = 0; share && n < CANDIDATES; n++, share = share->next) {
            double share_weight = budget_weight(class, share, now_ms);

            if (share_weight > victim_weight) {
                victim = share;
                victim_weight = share_weight;
            }
        }
    }
    return victim;
}
