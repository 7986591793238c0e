/* SPDX-License-Identifier: MIT */
/**
 * Showing: what was reported of the domains that a person names, or of all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "reports/domain_reports.h"

struct err;
struct report_database;

struct reports_show {
    struct domain_reports_source source;
    const char *const *domains; /* in stored form */
    size_t n_domains;
    bool has_json;
    bool has_failures;   /* only domains with failures are shown */
    bool has_unreadable; /* what is kept aside is counted at the end of the text */
    FILE *out;
};

/**
 * Prints the domains, one after the other.
 *
 * ret_n_broken  of the domains
 * Returns 0, or -1 with *err set as domain_reports_load().
 */
int reports_show_domains(const struct reports_show *show, size_t *ret_n_broken, struct err *err);

/**
 * Prints the reports of a domain, or with NULL what is kept aside, as a JSON array. Bytes that are
 * no UTF-8 are in base64.
 *
 * Returns 0, or -1 with *err set as report_query_raw().
 */
int reports_show_raw(struct report_database *database, const char *domain, FILE *out,
                     struct err *err);
