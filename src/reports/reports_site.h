/* SPDX-License-Identifier: MIT */
/**
 * `--site`: writes a static site of all domains of the configuration.
 */
#pragma once

#include <stddef.h>

#include "reports/domain_reports.h"

struct err;

/**
 * Writes the site.
 *
 * directory      as for site_output_open()
 * ret_n_domains  how many it shows
 * Returns 0, or -1 with *err set: as site_output.h and report_sqlite_fail() say.
 */
int reports_site_write(const struct domain_reports_source *source, const char *directory,
                       size_t *ret_n_domains, struct err *err);
