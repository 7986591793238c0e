/* SPDX-License-Identifier: MIT */
/**
 * The policy that a sender measured: what the report says it was, else what the ledger says that we
 * served on that day.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/slice.h"
#include "lib/policy/policy.h"

struct arena;
struct ledger_domain;
struct report_entry;

struct measured_policy {
    bool is_known;
    enum policy_mode mode;  /* POLICY_MODE_COUNT: not said */
    const struct slice *mx; /* patterns, as the report has them */
    size_t n_mx;
};

/**
 * Finds the policy of an entry. The ledger is asked only where one policy was served for the whole
 * day.
 *
 * domain  NULL: the ledger has nothing, or is not to be trusted
 * arena   owns the patterns, which point into the entry and the ledger; uncapped
 */
struct measured_policy measured_policy_of(const struct report_entry *entry,
                                          const struct ledger_domain *domain, struct arena *arena);

/** Whether an mx pattern of the policy covers a host. */
bool measured_policy_covers(const struct measured_policy *policy, struct slice host);

/** Whether each of its mx patterns is one of these; false for one that is not known. */
bool measured_policy_is_within(const struct measured_policy *policy, const struct slice *mx,
                               size_t n_mx);
