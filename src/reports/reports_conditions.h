/* SPDX-License-Identifier: MIT */
/**
 * `--conditions`: lists what the daemon may have to tell of by `notify:`: errors of the last check,
 * verdicts, and domains that may be removed now (lib/state/condition.h).
 */
#pragma once

#include "reports/domain_reports.h"

struct err;

/**
 * Replaces the file `path`.
 *
 * Returns 0, or -1 with *err set: ERR_IO, and as report_sqlite_fail() says.
 */
int reports_conditions_write(const struct domain_reports_source *source, const char *path,
                             struct err *err);
