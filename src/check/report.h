/* SPDX-License-Identifier: MIT */
/**
 * Reports: what a run prints, in one of several formats.
 *
 * A domain is printed as soon as it is checked, so that a run over many domains keeps none of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "check/check_finding.h"
#include "check/verdict.h"

struct domain_report;

/** Sums over a run. */
struct report_totals {
    size_t n_domains;
    size_t n_findings[CHECK_SEVERITY_COUNT];
    size_t n_verdicts[VERDICT_COUNT];
    size_t n_dane_verdicts[VERDICT_COUNT];
    char first_error[256]; /* "example.com: mx-not-in-policy"; "" without errors */
};

/** How much is printed. */
enum report_extent {
    REPORT_ALL,
    REPORT_PROBLEMS, /* errors and warnings, and the domains that have any */
};

/** A report being printed. */
struct report {
    const struct report_format *format;
    enum report_extent extent;
    FILE *out;
    void *state; /* the format's own */
    struct report_totals totals;
};

struct report_format {
    void (*begin)(struct report *report);
    void (*domain)(struct report *report, const struct domain_report *domain);
    void (*end)(struct report *report);
};

extern const struct report_format report_text;
extern const struct report_format report_json;
extern const struct report_format report_nagios;

/** Whether nothing is known of any domain, as where the resolver does not answer. */
bool report_totals_are_empty(const struct report_totals *totals);

/** Counts a domain and prints it. */
void report_add(struct report *report, const struct domain_report *domain);

/** Whether a finding of this severity is printed. */
bool report_shows(const struct report *report, enum check_severity severity);
