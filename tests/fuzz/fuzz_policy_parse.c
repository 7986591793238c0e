/* SPDX-License-Identifier: MIT */
/*
 * A body from a stranger: what parses, renders to a body that parses to the same policy and renders
 * to the same bytes; what does not, says why in words fit for a terminal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/policy/id.h"
#include "lib/policy/mx.h"
#include "lib/policy/parse.h"
#include "lib/policy/policy.h"
#include "lib/policy/render.h"

#include "require.h"

enum {
    ARENA_CAP = 128 * 1024, /* below what a body of nothing but mx lines needs */
};

static void require_refusal(const struct err *err, struct slice body)
{
    uint32_t n_lines = 1;

    for (size_t i = 0; i < body.len; i++)
        n_lines += body.ptr[i] == '\n';
    require_message(err);
    require(err->place.line <= n_lines, "an error's line is one of the body");
    require((err->place.line == 0) == (err->place.column == 0), "a line has a column");
}

static void require_valid(const struct policy *policy)
{
    require(policy->mode < POLICY_MODE_COUNT, "the mode is one");
    require(policy->max_age_s <= POLICY_MAX_AGE_MAX, "max_age is within its limit");
    require(policy->n_mx > 0 || policy->mode == POLICY_MODE_NONE, "there is an mx");
    for (size_t i = 0; i < policy->n_mx; i++)
        require(mx_pattern_matches(policy->mx[i], policy->mx[i]), "an mx covers its own name");
}

static void require_same(const struct policy *a, const struct policy *b)
{
    require(a->mode == b->mode && a->max_age_s == b->max_age_s && a->n_mx == b->n_mx,
            "a rendered policy parses to the same");
    for (size_t i = 0; i < a->n_mx; i++)
        require(slice_eq(a->mx[i], b->mx[i]), "a rendered mx parses to the same");
}

/* The id changes if and only if the bytes do. */
static void require_id(struct slice a, struct slice b)
{
    char id_a[POLICY_ID_LEN + 1], id_b[POLICY_ID_LEN + 1], salted[POLICY_ID_LEN + 1];

    policy_id_compute(a, (struct slice){NULL, 0}, id_a);
    policy_id_compute(b, (struct slice){NULL, 0}, id_b);
    policy_id_compute(a, slice_of("1"), salted);
    require((strcmp(id_a, id_b) == 0) == slice_eq(a, b), "an id follows its bytes");
    require(strcmp(id_a, salted) != 0, "a salt changes the id");
}

static void require_round_trip(const struct policy *policy, struct slice received)
{
    struct arena *arena = arena_new(0);
    struct policy again;
    struct slice body, body_again;
    struct err err;

    if (policy_render(policy, arena, &body, &err) != 0) {
        require(err.code == ERR_LIMIT, "only size keeps a policy from being rendered");
        require_refusal(&err, received);
        goto out;
    }
    require(body.len <= POLICY_BODY_MAX, "a body is within its cap");
    require(policy_parse(body, arena, &again, &err) == 0, "a rendered policy parses");
    require_same(policy, &again);
    require(policy_render(&again, arena, &body_again, &err) == 0, "it renders again");
    require(slice_eq(body, body_again), "it renders to the same bytes");
    require_id(received, body);
out:
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = {(const char *)data, size};
    struct arena *arena = arena_new(ARENA_CAP);
    struct policy policy;
    struct err err;

    if (policy_parse(body, arena, &policy, &err) != 0) {
        require_refusal(&err, body);
    } else {
        require(size <= POLICY_FETCH_MAX, "a body is within its cap");
        require(arena_used(arena) <= 4 * size, "memory is bounded by the body");
        require_valid(&policy);
        require_round_trip(&policy, body);
    }
    require(arena_used(arena) <= ARENA_CAP, "memory is within its cap");
    arena_free(arena);
    return 0;
}
