/* SPDX-License-Identifier: MIT */
/**
 * What an import can find wrong with hand-made policies.
 */
#pragma once

#include "lib/diag/finding.h"

enum import_finding {
    IMPORT_POLICY_INVALID,
    IMPORT_MX_REFUSED,
    IMPORT_DOMAIN_UNKNOWN,
    IMPORT_DOMAIN_DUPLICATE,
    IMPORT_NAME_TOO_LONG,
    IMPORT_UNREADABLE,
    IMPORT_TOO_MUCH,
    IMPORT_FINDING_COUNT,
};

extern const struct finding_table import_findings;
