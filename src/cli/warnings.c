/* SPDX-License-Identifier: MIT */
#include "cli/warnings.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"

struct cli_warning {
    enum finding finding;
    char message[512];
};

static const char *warning_level(const struct cli_warning *warning)
{
    bool is_note =
        warning->finding != FINDING_NONE && finding_row(warning->finding)->level == LEVEL_NOTE;

    return level_name(is_note ? LEVEL_NOTE : LEVEL_WARNING);
}

void warnings_add(struct cli_warnings *warnings, enum finding finding, const char *format, ...)
{
    struct cli_warning *warning;
    va_list arguments;

    warnings->items =
        memory_resize(warnings->items, warnings->n_items + 1, sizeof(*warnings->items));
    warning = &warnings->items[warnings->n_items++];
    warning->finding = finding;
    va_start(arguments, format);
    vsnprintf(warning->message, sizeof(warning->message), format, arguments);
    va_end(arguments);
}

void warnings_print(const struct cli_warnings *warnings)
{
    for (size_t i = 0; i < warnings->n_items; i++) {
        const struct cli_warning *warning = &warnings->items[i];

        printf("%s: %s", warning_level(warning), warning->message);
        if (warning->finding != FINDING_NONE)
            printf(" [%s]", finding_row(warning->finding)->code);
        putchar('\n');
    }
}

void warnings_print_json(const struct cli_warnings *warnings, struct json_writer *json)
{
    if (warnings->n_items == 0)
        return;
    json_key(json, "warnings");
    json_begin_array(json, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < warnings->n_items; i++) {
        const struct cli_warning *warning = &warnings->items[i];

        json_begin_object(json, JSON_ON_ONE_LINE);
        json_text_member(json, "level", warning_level(warning));
        if (warning->finding != FINDING_NONE)
            json_text_member(json, "code", finding_row(warning->finding)->code);
        json_text_member(json, "message", warning->message);
        json_end_object(json);
    }
    json_end_array(json);
}

void warnings_done(struct cli_warnings *warnings)
{
    free(warnings->items);
}
