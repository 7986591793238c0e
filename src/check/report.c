/* SPDX-License-Identifier: MIT */
#include "check/report.h"

#include "check/domain_check.h"
#include "check/findings.h"

void report_add(struct report *report, const struct domain_report *domain)
{
    struct report_totals *totals = &report->totals;

    totals->n_domains++;
    totals->n_verdicts[domain->verdict]++;
    totals->n_dane_verdicts[verdict_of_dane(&domain->facts)]++;
    for (size_t i = 0; i < findings_count(domain->findings); i++) {
        const struct check_row *row = check_row_of(findings_at(domain->findings, i)->finding);

        if (row->severity == CHECK_ERROR && totals->first_error[0] == '\0')
            snprintf(totals->first_error, sizeof(totals->first_error), "%s: %s", domain->domain,
                     row->code);
        totals->n_findings[row->severity]++;
    }
    report->format->domain(report, domain);
}

bool report_totals_are_empty(const struct report_totals *totals)
{
    return totals->n_domains > 0 && totals->n_verdicts[VERDICT_UNKNOWN] == totals->n_domains &&
           totals->n_findings[CHECK_ERROR] == 0 && totals->n_findings[CHECK_WARNING] == 0;
}

bool report_shows(const struct report *report, enum check_severity severity)
{
    return report->extent == REPORT_ALL || severity == CHECK_ERROR || severity == CHECK_WARNING;
}
