/* SPDX-License-Identifier: MIT */
/**
 * Warnings: what --parse-policy and --parse-record say of a thing that is valid.
 *
 * One owner, one thread.
 */
#pragma once

#include <stddef.h>

#include "lib/diag/config_finding.h"

struct json_writer;
struct cli_warning;

/** Zeroed to begin with; freed by warnings_done(). */
struct cli_warnings {
    struct cli_warning *items;
    size_t n_items;
};

/** finding  what --test-config says of the same; an error counts as a warning; FINDING_NONE: none
 */
void warnings_add(struct cli_warnings *warnings, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Prints a line each on standard output. */
void warnings_print(const struct cli_warnings *warnings);

/** Prints the member "warnings" of an object, unless there are none. */
void warnings_print_json(const struct cli_warnings *warnings, struct json_writer *json);

void warnings_done(struct cli_warnings *warnings);
