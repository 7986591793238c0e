/* SPDX-License-Identifier: MIT */
/**
 * Metrics of a run, in the text format of Prometheus: what its totals are, and when it ended.
 */
#pragma once

#include <stdint.h>

struct err;
struct report_totals;

/**
 * Replaces the file at once, so that whoever reads it never sees half of it.
 *
 * Returns 0, or -1 with *err set: ERR_IO.
 */
int report_metrics_write(const char *path, const struct report_totals *totals, int64_t now_unix_s,
                         struct err *err);
