/* SPDX-License-Identifier: MIT */
/**
 * Coverage: which of the large senders that send TLS reports have sent none.
 *
 * Pure. Source: the reports that operators have published; each of them sends one for every day on
 * which it sent mail.
 */
#pragma once

#include <stddef.h>

struct report_tally;

/** The nth large sender, by its domain, that is missing in the tally; NULL: there is no further. */
const char *report_coverage_missing(const struct report_tally *tally, size_t nth);
