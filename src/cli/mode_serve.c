/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/diag.h"
#include "cli/mode.h"
#include "config/load.h"
#include "server/server.h"

enum exit_status mode_serve(const struct options *options)
{
    struct diag *diag = diag_new();
    struct config *config = config_load(options->config_path, diag);
    struct err err;

    diag_print(diag, LEVEL_WARNING, stderr);
    diag_free(diag);
    if (!config)
        return cli_fail(STATUS_USAGE, "not started: the configuration has errors");
    if (server_run(config, options->config_path, &err) != 0)
        return cli_fail(STATUS_FAILED, "%s", err.msg);
    return STATUS_GOOD;
}
