/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/mode.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/dns/name.h"
#include "lib/policy/mx.h"

/* Finds the policy's pattern that covers the host, or returns the empty slice. */
static struct slice find_pattern(const struct policy *policy, struct slice host)
{
    for (size_t i = 0; i < policy->n_mx; i++)
        if (mx_pattern_matches(policy->mx[i], host))
            return policy->mx[i];
    return (struct slice){0};
}

static enum exit_status match_mx_print(const struct domain *domain, const char *written,
                                       struct slice host)
{
    const struct policy *policy = &domain->document->policy;
    struct slice pattern = find_pattern(policy, host);

    if (pattern.len > 0) {
        printf("%s is covered by mx: %.*s\n", written, SLICE_ARG(pattern));
        return STATUS_GOOD;
    }
    printf("%s is not covered; the mx patterns of %s are:\n", written, domain->name);
    for (size_t i = 0; i < policy->n_mx; i++)
        printf("  %.*s\n", SLICE_ARG(policy->mx[i]));
    return STATUS_FINDINGS;
}

/*
 * Brings the host into stored form. What somebody writes who has an MX record before him, "10
 * mail.example.com.", is named as such. A pattern is compared as one.
 */
static int parse_host(const char *written, char name[2 + DNS_NAME_MAX + 1], struct slice *ret_host)
{
    struct slice text = slice_of(written);
    size_t wildcard_len = slice_starts_with(text, "*.") ? 2 : 0, len;
    struct err err;

    memcpy(name, "*.", wildcard_len);
    if (dns_name_parse(slice_range(text, wildcard_len, text.len), name + wildcard_len, &len,
                       &err) != 0) {
        const char *why = mx_pattern_fault(text);

        cli_fail(STATUS_USAGE, "HOST: '%s' is no host name: it %s", written, why ? why : err.msg);
        return -1;
    }
    *ret_host = (struct slice){name, wildcard_len + len};
    return 0;
}

enum exit_status mode_match_mx(const struct options *options)
{
    const struct domain *domain;
    struct config *config;
    char name[2 + DNS_NAME_MAX + 1];
    struct slice host;
    enum exit_status status = cli_load_policy(options, &config, &domain);

    if (status != STATUS_GOOD)
        return status;
    if (parse_host(options->arguments[1], name, &host) == 0)
        status = match_mx_print(domain, options->arguments[1], host);
    else
        status = STATUS_USAGE;
    config_unref(config);
    return status;
}
