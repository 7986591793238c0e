/* SPDX-License-Identifier: MIT */
/**
 * The admin pages: /healthz, /readyz, /metrics and /check.json. The status site is http/'s. Safe
 * from any thread.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "lib/base/slice.h"

struct check_schedule;
struct metrics;
struct readiness;
struct report_service;
struct server_stats;

/** What the pages tell of; all of it lives as long as they are printed. */
struct admin_pages {
    const struct server_stats *stats;
    struct report_service *reports; /* NULL: none are taken in */
    const struct readiness *readiness;
    const struct metrics *const *workers; /* that serve policies */
    size_t n_workers;
    const struct check_schedule *checks; /* may be NULL */
};

/** Prints the page at `path`; an admin_printer, whose context is a struct admin_pages. */
int admin_pages_print(void *context, struct slice path, const char **ret_type, FILE *out);
