/* SPDX-License-Identifier: MIT */
/**
 * Members of JSON that `--reports --json` and the status site say alike.
 *
 * All write into an object that is open.
 */
#pragma once

#include "lib/base/json.h"

struct domain_reports;
struct report_tally;
struct report_verdict;

/** "reasons": [{"text", "advice"}]. layout  of the array */
void reports_members_print_reasons(const struct report_verdict *verdict, enum json_layout layout,
                                   struct json_writer *writer);

/** "missing_reporters": [names]. */
void reports_members_print_missing(const struct report_tally *tally, struct json_writer *writer);

/**
 * "fetchers": [{"sender", "name", "fetches", "first_unix", "last_unix", "prefix", "has_current"}].
 *
 * The prefix is null where nobody knows it, and has_current is null where nobody knows since when
 * the policy is served. layout  of the array
 */
void reports_members_print_fetchers(const struct domain_reports *reports, enum json_layout layout,
                                    struct json_writer *writer);
