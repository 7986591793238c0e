/* SPDX-License-Identifier: MIT */
/**
 * A run: many domains, so many at a time, each reported as soon as it is checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct check_session;
struct report;

struct check_run {
    const char *const *domains; /* in stored form */
    size_t n_domains;
    size_t n_jobs; /* at a time, at least 1 */
    struct report *report;
    bool shows_progress; /* on standard error */
};

/** Checks the domains and prints the report, from its begin to its end. */
void check_run(const struct check_run *run, struct check_session *session);
