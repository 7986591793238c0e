/* SPDX-License-Identifier: MIT */
/**
 * Named policies: each looked at once, for all the domains that use it unchanged.
 *
 * Internal to config/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag/finding.h"

struct arena;
struct config;
struct diag;
struct documents;
struct policy_document;
struct raw_config;
struct raw_entry;
struct raw_named_policy;
struct reporting;

/** One entry of policies: and what its users share. */
struct named {
    const char *name; /* of the snapshot */
    const struct raw_named_policy *raw;
    finding_set allow;                      /* its own */
    finding_set users_allow;                /* what all users allow, or are no case for */
    size_t n_users;                         /* domains that name it */
    size_t n_plain;                         /* those that serve it unchanged */
    bool is_broken;                         /* an error in it is reported */
    const struct policy_document *document; /* NULL: nobody's, or another one for each domain */
    const struct reporting *reporting;      /* likewise */
};

struct named_list {
    struct named *items; /* sorted by name */
    size_t n_items;
};

/** What checking a named policy needs and leaves. */
struct named_context {
    const struct raw_config *raw;
    struct config *config; /* its settings are resolved; its arena gets what is shared */
    struct documents *documents;
    struct diag *diag;
};

/** Lists the policies, counts their users and checks them; freed by named_list_done(). */
void named_list_init(struct named_list *list, const struct named_context *context);

void named_list_done(struct named_list *list);

/**
 * Finds the policy that an entry names.
 *
 * path  of the entry, for the finding if there is no such policy
 * Returns NULL if there is none; then that is reported, here or before.
 */
struct named *named_list_find(const struct named_list *list, const struct named_context *context,
                              const struct raw_entry *entry, const char *path);
