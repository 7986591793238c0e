/* SPDX-License-Identifier: MIT */
#include "check/dns_source.h"

#include "lib/base/arena.h"
#include "lib/base/slice.h"

const struct dns_answer *dns_answer_copy(const struct dns_answer *answer, struct arena *arena)
{
    struct dns_answer *copy = arena_alloc(arena, sizeof(*copy));
    struct slice *rdata = arena_array(arena, answer->n_rdata, sizeof(*rdata));

    for (size_t i = 0; i < answer->n_rdata; i++)
        rdata[i] = (struct slice){arena_copy(arena, answer->rdata[i]), answer->rdata[i].len};
    *copy = *answer;
    copy->canonical = arena_copy(arena, slice_of(answer->canonical));
    copy->why = arena_copy(arena, slice_of(answer->why));
    copy->rdata = rdata;
    return copy;
}
