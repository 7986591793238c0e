/* SPDX-License-Identifier: MIT */
/**
 * The review of a reload: whether a configuration may take the place of the one that serves, and
 * what that would change. Any thread that holds references to both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/main/reload.h"

/** What follows the reason of a refusal. */
#define RELOAD_GOES_ON "the previous configuration stays in use\n"

struct ledger;

struct reload_candidate {
    const struct config *current;
    const struct config *next;     /* NULL: it has errors */
    size_t n_errors;               /* of next */
    const struct sandbox *sandbox; /* NULL: any file may be read */
    const char *config_path;
    enum reload_force force;
    const struct ledger *ledger; /* what was served when; NULL: unknown */
    int64_t now_unix_s;
};

/** Prints the difference and, unless the outcome is RELOAD_GOOD, why it is refused. */
enum reload_outcome reload_review(const struct reload_candidate *candidate, FILE *out);
