/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "lib/config/config.h"
#include "lib/policy/mx.h"

/* Finds the policy's pattern that covers the host, or returns the empty slice. */
static struct slice find_pattern(const struct policy *policy, struct slice host)
{
    for (size_t i = 0; i < policy->n_mx; i++)
        if (mx_pattern_matches(policy->mx[i], host))
            return policy->mx[i];
    return (struct slice){0};
}

static enum exit_status match_mx_print(const struct domain *domain, const char *host)
{
    const struct policy *policy = &domain->document->policy;
    struct slice pattern = find_pattern(policy, slice_of(host));

    if (pattern.len > 0) {
        printf("%s is covered by mx: %.*s\n", host, SLICE_ARG(pattern));
        return STATUS_GOOD;
    }
    printf("%s is not covered; the mx patterns of %s are:\n", host, domain->name);
    for (size_t i = 0; i < policy->n_mx; i++)
        printf("  %.*s\n", SLICE_ARG(policy->mx[i]));
    return STATUS_FINDINGS;
}

enum exit_status mode_match_mx(const struct options *options)
{
    const struct domain *domain;
    struct config *config;
    enum exit_status status = cli_load_policy(options, &config, &domain);

    if (status != STATUS_GOOD)
        return status;
    status = match_mx_print(domain, options->arguments[1]);
    config_unref(config);
    return status;
}
