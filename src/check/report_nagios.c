/* SPDX-License-Identifier: MIT */
#include "check/report.h"

static void nagios_begin(struct report *report)
{
    (void)report;
}

static void nagios_domain(struct report *report, const struct domain_report *domain)
{
    (void)report;
    (void)domain;
}

/* ", senders with DANE refuse mail for 1 domain"; nothing where they refuse none. */
static void nagios_print_refused(FILE *out, const char *senders,
                                 const size_t n_verdicts[VERDICT_COUNT])
{
    size_t n = n_verdicts[VERDICT_PARTLY_LOST] + n_verdicts[VERDICT_LOST];

    if (n > 0)
        fprintf(out, ", senders with %s refuse mail for %zu domain%s", senders, n,
                n == 1 ? "" : "s");
}

/* One line: the service's state, words for a person, and after the bar what is plotted. */
static void nagios_end(struct report *report)
{
    const struct report_totals *totals = &report->totals;
    size_t n_errors = totals->n_findings[CHECK_ERROR];
    size_t n_warnings = totals->n_findings[CHECK_WARNING];
    const char *state = n_errors > 0                      ? "CRITICAL"
                        : n_warnings > 0                  ? "WARNING"
                        : report_totals_are_empty(totals) ? "UNKNOWN"
                                                          : "OK";

    fprintf(report->out, "MTA-STS %s - %zu domain%s, %zu error%s, %zu warning%s", state,
            totals->n_domains, totals->n_domains == 1 ? "" : "s", n_errors,
            n_errors == 1 ? "" : "s", n_warnings, n_warnings == 1 ? "" : "s");
    nagios_print_refused(report->out, "MTA-STS", totals->n_verdicts);
    nagios_print_refused(report->out, "DANE", totals->n_dane_verdicts);
    if (n_errors > 0)
        fprintf(report->out, ", first %s", totals->first_error);
    fprintf(report->out, " | errors=%zu warnings=%zu unknown=%zu\n", n_errors, n_warnings,
            totals->n_findings[CHECK_UNKNOWN]);
}

const struct report_format report_nagios = {nagios_begin, nagios_domain, nagios_end};
