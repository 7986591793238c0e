/* SPDX-License-Identifier: MIT */
/** What is said of a domain, made up to be printed: an instance of each kind. */
#pragma once

#include "reports/domain_reports.h"

struct arena;

/** arena  owns what it points to */
struct domain_reports reported_sample(struct arena *arena);
