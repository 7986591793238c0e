/* SPDX-License-Identifier: MIT */
#include "check/check_delegation.h"

#include <stdbool.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/dns/name.h"

static bool delegation_leads_away(const struct dns_answer *answer, const char *domain)
{
    return !dns_name_is_within(slice_of(answer->canonical), slice_of(domain));
}

void check_delegation_judge(const char *domain, const struct dns_answer *record,
                            const struct dns_answer *host, struct findings *findings)
{
    char quoted[ERR_QUOTE_MAX];

    if (record->status != DNS_OK || host->status != DNS_OK ||
        !delegation_leads_away(record, domain) || delegation_leads_away(host, domain))
        return;
    findings_add(findings, CHECK_TXT_DELEGATED_ALONE, NULL,
                 "_mta-sts.%s is a CNAME to %s, and mta-sts.%s does not lead to another domain",
                 domain, err_quote(quoted, sizeof(quoted), slice_of(record->canonical)), domain);
}
