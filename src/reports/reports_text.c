/* SPDX-License-Identifier: MIT */
#include "reports/reports_text.h"

#include <inttypes.h>

#include "lib/base/when.h"
#include "lib/policy/policy.h"
#include "reports/domain_reports.h"
#include "reports/report_coverage.h"
#include "reports/report_words.h"
#include "reports/result_type.h"
#include "reports/tls_report.h"

static void verdict_print(const struct domain_reports *reports, FILE *out)
{
    const struct report_verdict *verdict = &reports->verdict;

    fprintf(out, "%s: %s (%s%s)\n", reports->domain, report_verdict_name(verdict->kind),
            reports->policy ? "mode " : "no policy",
            reports->policy ? policy_mode_name(reports->policy->mode) : "");
    for (size_t i = 0; i < verdict->n_reasons; i++) {
        fprintf(out, "  - %s.\n", verdict->reasons[i].text);
        if (verdict->reasons[i].advice)
            fprintf(out, "    %s.\n", verdict->reasons[i].advice);
    }
}

static const char *proof_text(enum report_proof proof)
{
    static const char *const texts[REPORT_PROOF_COUNT] = {
        [REPORT_PROOF_NONE] = "unverified",
        [REPORT_PROOF_FILE] = "from a file",
        [REPORT_PROOF_PEER] = "verified by its address",
        [REPORT_PROOF_DKIM] = "verified by DKIM",
    };

    return texts[proof];
}

static void days_print(int64_t first_day, int64_t last_day, struct arena *arena, FILE *out)
{
    if (first_day == last_day)
        fprintf(out, "on %s", report_words_day(first_day, arena));
    else
        fprintf(out, "from %s to %s", report_words_day(first_day, arena),
                report_words_day(last_day, arena));
}

static void reporter_print(const struct reporter_tally *reporter, struct arena *arena, FILE *out)
{
    fprintf(out, "  - %s (%s): ", report_words_of(reporter->name, arena),
            proof_text(reporter->proof));
    fprintf(out, "%s under the policy succeeded, %" PRId64 " failed",
            report_words_sessions(reporter->n_successful, arena), reporter->n_failed);
    if (reporter->n_other_policy > 0)
        fprintf(out, ", %s under an earlier policy or an unknown one",
                report_words_sessions(reporter->n_other_policy, arena));
    if (reporter->n_without_policy > 0)
        fprintf(out, ", %s without a policy",
                report_words_sessions(reporter->n_without_policy, arena));
    if (reporter->has_unknown_counts)
        fputs(", and some of an unknown number", out);
    if (reporter->is_echo && reporter->n_successful > 0)
        fputs("; this may be the mail of its reports alone", out);
    fputs("; ", out);
    days_print(reporter->first_day, reporter->last_day, arena, out);
    fputs("\n", out);
}

static void failure_print(const struct failure_tally *failure, struct arena *arena, FILE *out)
{
    fprintf(out, "  - %s %s (%s)", report_words_of(failure->reporter->name, arena),
            result_type_find(failure->result_type)->means,
            failure->result_type ? report_words_of(failure->result_type, arena) : "without a type");
    if (failure->mx)
        fprintf(out, " at MX host %s", report_words_of(failure->mx, arena));
    fprintf(out, ": %s, ", report_words_sessions(failure->n_sessions, arena));
    days_print(failure->first_day, failure->last_day, arena, out);
    if (failure->reason)
        fprintf(out, "; reason given: %s", report_words_of(failure->reason, arena));
    if (failure->reporter->proof == REPORT_PROOF_NONE)
        fputs("; unverified", out);
    if (failure->is_cured)
        fputs("; the mx of the policy served now are others", out);
    fputs("\n", out);
}

static void missing_print(const struct report_tally *tally, FILE *out)
{
    const char *name = report_coverage_missing(tally, 0);

    if (!name)
        return;
    fprintf(out, "  Large senders that did not: %s", name);
    for (size_t i = 1; (name = report_coverage_missing(tally, i)); i++)
        fprintf(out, ", %s", name);
    fputs(".\n", out);
}

/* "3 hours ago", in a unit that fits. */
static void age_print(int64_t age_s, FILE *out)
{
    int64_t unit_s = age_s >= 2 * 86400 ? 86400 : age_s >= 2 * 3600 ? 3600 : 60;
    char words[WHEN_SIZE];

    if (age_s < unit_s)
        fputs("just now", out);
    else
        fprintf(out, "%s ago", when_duration((uint64_t)(age_s - age_s % unit_s), words));
}

static void fetchers_print(const struct domain_reports *reports, FILE *out)
{
    if (reports->fetchers.n > 0)
        fputs("  Who fetched the policy, by User-Agent:\n", out);
    for (size_t i = 0; i < reports->fetchers.n; i++) {
        const struct policy_fetcher *fetcher = &reports->fetchers.list[i];
        char first[WHEN_SIZE];

        fprintf(out, "  - %s: last ", fetch_sender_name(fetcher->sender));
        age_print(reports->now_unix_s - fetcher->last_unix_s, out);
        if (reports->served_since_unix_s > 0)
            fprintf(out, ", %s",
                    fetcher->last_unix_s >= reports->served_since_unix_s ? "the policy served now"
                                                                         : "an earlier policy");
        if (fetcher->prefix[0] != '-')
            fprintf(out, ", from %s", fetcher->prefix);
        fprintf(out, "; %" PRId64 " time%s since %s\n", fetcher->n, fetcher->n == 1 ? "" : "s",
                when_date(fetcher->first_unix_s, first));
    }
}

void reports_text_print(const struct domain_reports *reports, struct arena *arena, FILE *out)
{
    const struct report_tally *tally = &reports->tally;

    verdict_print(reports, out);
    if (tally->n_reporters > 0)
        fprintf(out, "  Who reported, in the last %" PRId64 " day%s:\n", reports->days,
                reports->days == 1 ? "" : "s");
    for (size_t i = 0; i < tally->n_reporters; i++)
        reporter_print(tally->reporters[i], arena, out);
    if (tally->n_reporters > 0)
        missing_print(tally, out);
    fetchers_print(reports, out);
    if (tally->n_failures > 0)
        fputs("  What failed:\n", out);
    for (size_t i = 0; i < tally->n_failures; i++)
        failure_print(tally->failures[i], arena, out);
    if (tally->n_conflicts > 0)
        fprintf(out, "  %zu of the entries contradict%s another report with the same id.\n",
                tally->n_conflicts, tally->n_conflicts == 1 ? "s" : "");
    if (tally->n_refused > 0)
        fprintf(out, "  %" PRId64 " unverified report%s too many, and %s not kept.\n",
                tally->n_refused, tally->n_refused == 1 ? " was one" : "s were",
                tally->n_refused == 1 ? "is" : "are");
}
