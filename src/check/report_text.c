/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "check/domain_check.h"
#include "check/findings.h"
#include "check/report.h"

static void text_begin(struct report *report)
{
    (void)report;
}

/* The table has sentences without their first capital and their full stop. */
static void text_print_sentence(FILE *out, const char *sentence)
{
    fprintf(out, "%c%s.", toupper((unsigned char)sentence[0]), sentence + 1);
}

/* All of one kind, then once what follows from them. */
static void text_print_kind(FILE *out, const struct findings *findings, enum check_finding finding)
{
    const struct check_row *row = check_row_of(finding);

    if (!findings_have(findings, finding))
        return;
    for (size_t i = 0; i < findings_count(findings); i++) {
        const struct seen_finding *seen = findings_at(findings, i);

        if (seen->finding == finding)
            fprintf(out, "  %s: %s%s%s [%s]\n", check_severity_name(row->severity),
                    seen->subject ? seen->subject : "", seen->subject ? ": " : "", seen->text,
                    row->code);
    }
    if (findings_dropped(findings, finding) > 0)
        fprintf(out, "  %s: and %zu more [%s]\n", check_severity_name(row->severity),
                findings_dropped(findings, finding), row->code);
    fputs("    ", out);
    text_print_sentence(out, row->meaning);
    fputc(' ', out);
    text_print_sentence(out, row->advice);
    fprintf(out, " (%s)\n", row->source);
}

/* In the order of the table: the record, the policy host, the policy, the MX hosts. */
static void text_print_severity(FILE *out, const struct findings *findings,
                                enum check_severity severity)
{
    for (int finding = 0; finding < CHECK_FINDING_COUNT; finding++)
        if (check_row_of((enum check_finding)finding)->severity == severity)
            text_print_kind(out, findings, (enum check_finding)finding);
}

static void text_domain(struct report *report, const struct domain_report *domain)
{
    const struct findings *findings = domain->findings;
    char text[VERDICT_TEXT_MAX];

    if (report->extent == REPORT_PROBLEMS && findings_of(findings, CHECK_ERROR) == 0 &&
        findings_of(findings, CHECK_WARNING) == 0)
        return;
    fprintf(report->out, "%s: %s\n", domain->domain,
            verdict_text(domain->verdict, &domain->facts, text));
    for (int severity = 0; severity < CHECK_SEVERITY_COUNT; severity++)
        if (report_shows(report, (enum check_severity)severity))
            text_print_severity(report->out, findings, (enum check_severity)severity);
    fflush(report->out);
}

static void text_print_count(FILE *out, const char *before, size_t n, const char *one,
                             const char *many)
{
    fprintf(out, "%s%zu %s", before, n, n == 1 ? one : many);
}

/* One domain's report needs no sum. */
static void text_end(struct report *report)
{
    const struct report_totals *totals = &report->totals;

    if (totals->n_domains == 1 || report->extent == REPORT_PROBLEMS)
        return;
    text_print_count(report->out, "", totals->n_domains, "domain", "domains");
    text_print_count(report->out, ": ", totals->n_findings[CHECK_ERROR], "error", "errors");
    text_print_count(report->out, ", ", totals->n_findings[CHECK_WARNING], "warning", "warnings");
    text_print_count(report->out, ", ", totals->n_findings[CHECK_NOTE], "note", "notes");
    fprintf(report->out, ", %zu unknown\n", totals->n_findings[CHECK_UNKNOWN]);
}

const struct report_format report_text = {text_begin, text_domain, text_end};
