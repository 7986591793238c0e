/* SPDX-License-Identifier: MIT */
/**
 * All that a site says of one domain, from every source, and its page's data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/domain_reports.h"
#include "reports/session_days.h"
#include "reports/site_certificate.h"

struct arena;
struct checked_domain;
struct domain;
struct err;
struct json_writer;
struct ledger_domain;

/** Where it comes from. */
struct site_source {
    struct domain_reports_source reports;
    struct site_certificates *certificates;
};

struct site_domain {
    const struct domain *configured;
    const struct ledger_domain *ledger; /* NULL: nothing is known, or it is damaged */
    int64_t now_unix_s;
    int64_t held_until_unix_s; /* no sender holds a policy after it; 0: none does now */
    struct domain_reports reports;
    struct session_days sessions;
    const struct checked_domain *checked; /* NULL: nothing was found, or no check was made */
    bool has_check;
    bool has_certificate; /* a domain without a policy needs none */
    struct site_certificate certificate;
};

/**
 * arena  owns *ret_domain's parts; uncapped
 * Returns 0, or -1 with *err set as report_sqlite_fail().
 */
int site_domain_load(const struct site_source *source, const struct domain *configured,
                     struct arena *arena, struct site_domain *ret_domain, struct err *err);

/**
 * Writes the data of the domain's page, below 600 kB whatever was reported.
 *
 * arena  for texts that are made on the way
 */
void site_domain_print(const struct site_source *source, const struct site_domain *domain,
                       struct arena *arena, struct json_writer *writer);
