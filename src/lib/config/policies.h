/* SPDX-License-Identifier: MIT */
/**
 * Named policies: the entries of policies:, each checked and rendered once for all domains that use
 * it unmodified.
 *
 * What is reported about a policy depends on who uses it, so it is reported when all domains are
 * known: add each policy, prepare them, add each domain that uses one, report.
 * Internal to config/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/schema.h"
#include "lib/diag/config_finding.h"

struct config;
struct diag;
struct documents;
struct policy_document;
struct reporting;

struct named_policy {
    struct field_text name; /* of the snapshot */
    const char *path;       /* "policies.standard", fit for a terminal whatever the name is */
    struct raw_policy keys;
    bool is_incomplete; /* an error was found when it was read; perhaps not all keys are here */

    /* Set by named_policies_prepare(). */
    bool is_broken;                         /* has an error, whoever uses it */
    finding_set allow;                      /* its own */
    const struct policy_document *document; /* NULL: none, or another one for each domain */
    const struct reporting *reporting;      /* likewise */

    /* Counted by named_policy_add_user(). */
    size_t n_users;          /* domains that name it */
    size_t n_mx_users;       /* those that serve its mx */
    finding_set users_allow; /* findings that every user allows, or that do not apply to it */
};

/** Zeroed to begin with; freed by named_policies_done(). */
struct named_policies {
    struct named_policy *items;
    size_t n_items, size;
};

/** What policies are built with. */
struct build_context {
    struct config *config; /* its settings are resolved; its arena gets what is shared */
    struct documents *documents;
    struct diag *diag;
    struct arena *scratch; /* reset after each policy and domain */
};

/** Adds a copy of what was read; what it points to lives as long as the list. */
void named_policies_add(struct named_policies *list, const struct named_policy *policy);

/** Sorts the policies, reports duplicates, and makes what their users share. */
void named_policies_prepare(struct named_policies *list, const struct build_context *context);

/**
 * Finds the policy that a domain names.
 *
 * is_cut  a part of the files could not be read: what is missing may stand there
 * Returns NULL if there is none; then that is reported, here or before.
 */
struct named_policy *named_policies_find(const struct named_policies *list,
                                         const struct raw_domain *domain, bool is_cut,
                                         struct diag *diag);

/** The policy that domains take which name none: "default"; NULL if there is none. */
struct named_policy *named_policies_default(const struct named_policies *list);

/** Counts a domain that names the policy. */
void named_policy_add_user(struct named_policy *policy, const struct raw_domain *domain);

/** Whether the domain can be built on the policy: what it takes from the policy has no error. */
bool named_policy_is_usable(const struct named_policy *policy, const struct raw_domain *domain);

/**
 * Reports what is wrong with each policy, and those that nobody uses unless a domain that was not
 * read may be the user.
 */
void named_policies_report(const struct named_policies *list, const struct build_context *context,
                           bool has_all_domains);

void named_policies_done(struct named_policies *list);
