/* SPDX-License-Identifier: MIT */
#include "check/report_metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "check/report.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

enum {
    FILE_MODE = 0644,
};

struct metrics_source {
    const struct report_totals *totals;
    int64_t now_unix_s;
};

static void metrics_print_head(FILE *out, const char *name, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static int metrics_print(void *context, FILE *out)
{
    static const enum verdict dane_verdicts[] = {VERDICT_ABSENT, VERDICT_UNKNOWN, VERDICT_ENFORCED,
                                                 VERDICT_PARTLY_LOST, VERDICT_LOST};
    const struct metrics_source *source = context;
    const struct report_totals *totals = source->totals;

    metrics_print_head(out, "mtasts_check_domains", "Domains that were checked, by verdict.");
    for (int i = 0; i < VERDICT_COUNT; i++)
        fprintf(out, "mtasts_check_domains{verdict=\"%s\"} %zu\n", verdict_code((enum verdict)i),
                totals->n_verdicts[i]);
    metrics_print_head(out, "mtasts_check_dane_domains",
                       "Domains that were checked, by what DANE demands of senders.");
    for (size_t i = 0; i < ARRAY_LEN(dane_verdicts); i++)
        fprintf(out, "mtasts_check_dane_domains{verdict=\"%s\"} %zu\n",
                verdict_code(dane_verdicts[i]), totals->n_dane_verdicts[dane_verdicts[i]]);
    metrics_print_head(out, "mtasts_check_findings", "What was found, by severity.");
    for (int i = 0; i < CHECK_SEVERITY_COUNT; i++)
        fprintf(out, "mtasts_check_findings{severity=\"%s\"} %zu\n",
                check_severity_name((enum check_severity)i), totals->n_findings[i]);
    metrics_print_head(out, "mtasts_check_finished_timestamp_seconds", "When the check ended.");
    fprintf(out, "mtasts_check_finished_timestamp_seconds %" PRId64 "\n", source->now_unix_s);
    return ferror(out);
}

int report_metrics_write(const char *path, const struct report_totals *totals, int64_t now_unix_s,
                         struct err *err)
{
    struct metrics_source source = {totals, now_unix_s};

    return file_replace(path, FILE_MODE, metrics_print, &source, err);
}
