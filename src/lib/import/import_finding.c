/* SPDX-License-Identifier: MIT */
#include "lib/import/import_finding.h"

static const struct finding_row import_rows[IMPORT_FINDING_COUNT] = {
    [IMPORT_POLICY_INVALID] = {"policy-invalid", LEVEL_ERROR,
                               "a strict sender does not accept this policy (RFC 8461 3.2)"},
    [IMPORT_MX_REFUSED] = {"mx-refused", LEVEL_ERROR,
                           "the configuration does not accept this mx: it can only be a mistake"},
    [IMPORT_DOMAIN_UNKNOWN] = {"domain-unknown", LEVEL_ERROR,
                               "the path does not say which domain the policy is for"},
    [IMPORT_DOMAIN_DUPLICATE] = {"duplicate-domain", LEVEL_ERROR,
                                 "two files have different policies for one domain"},
    [IMPORT_NAME_TOO_LONG] = {"name-too-long", LEVEL_ERROR,
                              "a record's name would be longer than DNS allows (253 octets)"},
    [IMPORT_UNREADABLE] = {"file-unreadable", LEVEL_ERROR, "a file or folder cannot be read"},
    [IMPORT_TOO_MUCH] = {"too-large", LEVEL_ERROR, "the folders are too deep or have too much"},
};

const struct finding_table import_findings = {import_rows, IMPORT_FINDING_COUNT};
