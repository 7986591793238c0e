/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/mode.h"
#include "lib/config/schema.h"
#include "lib/yaml/json_schema.h"

enum exit_status mode_print_schema(const struct options *options)
{
    (void)options;
    json_schema_print(&schema_main, stdout);
    return STATUS_GOOD;
}
