/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "config/config.h"

/* Prints the body or the id of the domain in the first argument. */
static enum exit_status print(const struct options *options, bool is_id)
{
    const struct domain *domain;
    struct config *config;
    enum exit_status status = cli_load(options, &config);

    if (status != STATUS_GOOD)
        return status;
    domain = cli_find_domain(config, options->arguments[0]);
    if (!domain)
        status = STATUS_USAGE;
    else if (!domain->document)
        status = cli_fail(STATUS_USAGE, "'%s' has no policy: its mta_sts is false", domain->name);
    else if (is_id)
        puts(domain->document->id);
    else
        fwrite(domain->document->body.ptr, 1, domain->document->body.len, stdout);
    config_unref(config);
    return status;
}

enum exit_status mode_print_policy(const struct options *options)
{
    return print(options, false);
}

enum exit_status mode_print_id(const struct options *options)
{
    return print(options, true);
}
