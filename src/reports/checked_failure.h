/* SPDX-License-Identifier: MIT */
/**
 * Which failures in reports a finding of mta-stsd-check reproduces.
 *
 * Pure. A finding proves nothing by itself: the check looks from one place. But a failure that
 * senders have reported, and that it sees too, goes on.
 */
#pragma once

#include <stdbool.h>

#include "reports/result_type.h"

struct checked_finding;
struct failure_tally;

/** The class of failures that a finding with this code leads to; RESULT_UNKNOWN: to none. */
enum result_class checked_failure_class(const char *code);

/**
 * Whether the finding is of the failure's class, and of the MX host that it names. Senders name the
 * kind of a failure differently, so that the kind is not compared.
 */
bool checked_failure_is_same(const struct checked_finding *finding,
                             const struct failure_tally *failure);
