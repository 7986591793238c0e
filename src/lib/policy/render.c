/* SPDX-License-Identifier: MIT */
#include "lib/policy/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/policy/policy.h"

/* A body being written. Counting goes on where room ends, so that the error can name the size. */
struct body {
    char bytes[POLICY_BODY_MAX];
    size_t len;
};

static void body_append(struct body *body, struct slice bytes)
{
    if (bytes.len > 0 && body->len < sizeof(body->bytes) &&
        bytes.len <= sizeof(body->bytes) - body->len)
        memcpy(body->bytes + body->len, bytes.ptr, bytes.len);
    body->len += bytes.len;
}

static void body_append_field(struct body *body, const char *name, struct slice value)
{
    body_append(body, slice_of(name));
    body_append(body, slice_of(": "));
    body_append(body, value);
    body_append(body, slice_of("\r\n"));
}

/* LF and any other order are as valid, but some senders refuse them; none refuses these. */
static void body_append_policy(struct body *body, const struct policy *policy)
{
    char max_age[sizeof("4294967295")];

    snprintf(max_age, sizeof(max_age), "%" PRIu32, policy->max_age_s);
    body_append_field(body, "version", slice_of("STSv1"));
    body_append_field(body, "mode", slice_of(policy_mode_name(policy->mode)));
    for (size_t i = 0; i < policy->n_mx; i++)
        body_append_field(body, "mx", policy->mx[i]);
    body_append_field(body, "max_age", slice_of(max_age));
}

int policy_render(const struct policy *policy, struct arena *arena, struct slice *ret_body,
                  struct err *err)
{
    struct body body; /* not filled with zeros first, which would take longer than all the rest */
    const char *copy;

    body.len = 0;
    body_append_policy(&body, policy);
    if (body.len > sizeof(body.bytes))
        return err_set(err, ERR_LIMIT, "the policy is %zu bytes, above %d bytes", body.len,
                       POLICY_BODY_MAX);
    copy = arena_copy(arena, (struct slice){body.bytes, body.len});
    if (!copy)
        return err_set(err, ERR_LIMIT, "the policy of %zu bytes needs more memory than is allowed",
                       body.len);
    *ret_body = (struct slice){copy, body.len};
    return 0;
}
