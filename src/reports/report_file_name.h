/* SPDX-License-Identifier: MIT */
/**
 * Report file names: "sender.example!example.com!1767225600!1767311999!001.json.gz".
 *
 * Pure. Source: RFC 8460 5.1.
 */
#pragma once

#include <stdbool.h>

struct slice;

/**
 * Whether a file of this name is a TLS report. A DMARC report has the same name but for its ending.
 *
 * file_name   without folders
 * ret_domain  the domain that the report is about, as it stands there; untouched if it is none
 * Returns 0, or -1: another file.
 */
int report_file_name_parse(struct slice file_name, struct slice *ret_domain);

/** Whether the name ends as a TLS report's does: ".json", ".json.gz". */
bool report_file_name_is_json(struct slice file_name);
