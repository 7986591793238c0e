/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "lib/config/config.h"

enum exit_status mode_print_policy(const struct options *options)
{
    const struct domain *domain;
    struct config *config;
    enum exit_status status = cli_load_policy(options, &config, &domain);

    if (status != STATUS_GOOD)
        return status;
    fwrite(domain->document->body.ptr, 1, domain->document->body.len, stdout);
    config_unref(config);
    return STATUS_GOOD;
}

enum exit_status mode_print_id(const struct options *options)
{
    const struct domain *domain;
    struct config *config;
    enum exit_status status = cli_load_policy(options, &config, &domain);

    if (status != STATUS_GOOD)
        return status;
    puts(domain->document->id);
    config_unref(config);
    return STATUS_GOOD;
}
