/* SPDX-License-Identifier: MIT */
/**
 * A run: many domains, so many at a time, each reported as soon as it is checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct err;
struct report;

struct check_run_options {
    const struct config *config; /* NULL: none */
    const char *dns_server;      /* NULL: the authoritative servers */
    const char *dns_config;      /* NULL: none */
    const char *ca_file;         /* NULL: the system's roots */
    size_t n_jobs;               /* domains at a time, at least 1 */
    uint64_t timeout_ms;         /* of one answer, fetch or conversation */
    const char *helo;            /* our name; NULL: that of the machine */
    bool allow_private;
    bool skips_smtp;     /* MX hosts are not contacted */
    bool shows_progress; /* on standard error */
};

/**
 * Checks the domains and prints the report, from its begin to its end.
 *
 * domains  in stored form
 * Returns 0, or -1 with *err set and nothing printed: the run could not begin.
 */
int check_run(const char *const *domains, size_t n_domains, const struct check_run_options *options,
              struct report *report, struct err *err);
