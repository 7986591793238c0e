/* SPDX-License-Identifier: MIT */
/**
 * What is said of a domain, for programs.
 *
 *     {"domain": "example.com", "verdict": "NOT YET", "mode": "testing",
 *      "reasons": [{"text": "...", "advice": "..." or null}], "days": 30,
 *      "reporters": [{"name": "google.com", "proof": "dkim", "first_day": "2026-12-01", ...}],
 *      "failures": [{"reporter": "google.com", "type": "certificate-expired", ...}],
 *      "entries": [{"day": "2026-12-01", "reporter": "google.com", "successful": 7, ...}], ...}
 *
 * A count that a report does not say is null. Texts of strangers are as they came.
 */
#pragma once

struct arena;
struct domain_reports;
struct json_writer;

/** Writes an object. arena  for texts; uncapped */
void reports_json_print(const struct domain_reports *reports, struct arena *arena,
                        struct json_writer *writer);
