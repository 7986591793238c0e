/* SPDX-License-Identifier: MIT */
#include "lib/policy/lint.h"

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/slice.h"
#include "lib/policy/mx.h"

enum {
    DAY_S = 86400,
    TWO_WEEKS_S = 14 * DAY_S,
    YEAR_S = 365 * DAY_S,
};

/* A pattern that covers some of a provider's MX hosts, and a host that the list has to cover too.
 */
static const struct partial_pattern {
    const char *pattern;
    const char *host;
    const char *why;
} partial_patterns[] = {
    {"*.aspmx.l.google.com", "aspmx.l.google.com",
     "does not cover aspmx.l.google.com, the first MX host of Google Workspace; add that name"},
    {"alt1.aspmx.l.google.com", "aspmx.l.google.com",
     "is the second MX host of Google Workspace, and no mx covers aspmx.l.google.com, the first; "
     "add that name"},
    {"*.google.com", "aspmx.l.google.com",
     "covers smtp.google.com, but not aspmx.l.google.com and those below it; add "
     "aspmx.l.google.com and *.aspmx.l.google.com, or write smtp.google.com"},
    {"*.l.google.com", "alt1.aspmx.l.google.com",
     "covers aspmx.l.google.com, but not alt1 to alt4 below it; add *.aspmx.l.google.com"},
    {"*.googlemail.com", "aspmx.l.google.com",
     "covers the last MX hosts of Google Workspace only; add aspmx.l.google.com and "
     "*.aspmx.l.google.com"},
};

static bool is_listed_before(const struct policy *policy, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (slice_eq_nocase(policy->mx[i], policy->mx[index]))
            return true;
    return false;
}

enum finding policy_mx_lint(const struct policy *policy, size_t index, const char **ret_why)
{
    if (is_listed_before(policy, index)) {
        *ret_why = "is listed twice; remove one of them";
        return FINDING_MX_DUPLICATE;
    }
    for (size_t i = 0; i < ARRAY_LEN(partial_patterns); i++) {
        const struct partial_pattern *row = &partial_patterns[i];

        if (!slice_eq_nocase(policy->mx[index], slice_of(row->pattern)) ||
            policy_covers(policy, slice_of(row->host)))
            continue;
        *ret_why = row->why;
        return FINDING_MX_INCOMPLETE;
    }
    return FINDING_NONE;
}

enum finding policy_max_age_lint(enum policy_mode mode, uint32_t max_age_s,
                                 char why[POLICY_LINT_MAX])
{
    if (max_age_s > YEAR_S) {
        snprintf(why, POLICY_LINT_MAX,
                 "%u s is above 365d (%d s); some senders then keep the policy for a day only; "
                 "write 365d or less",
                 max_age_s, YEAR_S);
        return FINDING_MAX_AGE_LONG;
    }
    if (max_age_s < DAY_S) {
        snprintf(why, POLICY_LINT_MAX,
                 "%u s is below 1d (%d s); Google and others ignore such a policy; write 1d or "
                 "more",
                 max_age_s, DAY_S);
        return FINDING_MAX_AGE_SHORT;
    }
    if (mode == POLICY_ENFORCE && max_age_s < TWO_WEEKS_S) {
        snprintf(why, POLICY_LINT_MAX,
                 "in mode enforce, max_age is %u s; 2w (%d s) or more protects better", max_age_s,
                 TWO_WEEKS_S);
        return FINDING_MAX_AGE_BELOW_TWO_WEEKS;
    }
    return FINDING_NONE;
}

const char policy_none_without_mx[] = "mode none without mx: chasquid and Stalwart refuse such a "
                                      "policy and keep the one from before; "
                                      "list the mx that were there until now";
