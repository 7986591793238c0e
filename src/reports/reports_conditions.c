/* SPDX-License-Identifier: MIT */
#include "reports/reports_conditions.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/report_verdict.h"
#include "reports/report_words.h"

enum {
    CONDITIONS_MODE = 0600,
    /* Whoever publishes is given so long after a change before live DNS is said to differ. */
    PUBLISH_TIME_S = 60 * 60,
};

/* Errors of a check by which live DNS has not, or not only, what is to be published. */
static const char *const dns_codes[] = {
    "txt-missing",        "txt-syntax",     "txt-several",       "txt-quotes",
    "txt-doubled-name",   "txt-wrong-name", "txt-cname-doubled", "txt-cname-dangling",
    "txt-servers-differ", "id-not-ours",    "host-missing",      "host-cname-doubled",
    "policy-not-ours",
};

struct condition_writer {
    const struct domain_reports_source *source;
    struct arena *arena; /* of one domain */
    int64_t recheck_unix_s;
    FILE *out;
    struct err *err;
};

static enum condition_kind kind_of_error(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(dns_codes); i++)
        if (strcmp(code, dns_codes[i]) == 0)
            return CONDITION_DNS;
    return CONDITION_CHECK;
}

static void writer_put(const struct condition_writer *writer, enum condition_kind kind,
                       const char *domain, const char *code, const char *text, const char *advice)
{
    const struct condition condition = {.kind = kind,
                                        .domain = slice_of(domain),
                                        .code = slice_of(code),
                                        .text = slice_of(text),
                                        .advice = slice_of(advice)};

    condition_print(&condition, writer->out);
}

/* When the check could tell whether what is served by now was published in time; 0: it can. */
static int64_t writer_published_by(const struct condition_writer *writer,
                                   const struct domain_reports *reports)
{
    int64_t by_unix_s = reports->served_since_unix_s + PUBLISH_TIME_S;

    return check_results_at_unix_s(writer->source->checks) < by_unix_s ? by_unix_s : 0;
}

/* The check could not try the domain: an error that it does not find may still be there. */
static bool is_untried(const struct checked_domain *checked)
{
    return checked && strcmp(checked->verdict, "unknown") == 0;
}

static bool has_dns_error(const struct checked_domain *checked)
{
    for (size_t i = 0; checked && i < checked->n_findings; i++)
        if (strcmp(checked->findings[i].kind->severity, "error") == 0 &&
            kind_of_error(checked->findings[i].kind->code) == CONDITION_DNS)
            return true;
    return false;
}

static void writer_put_errors(struct condition_writer *writer, const char *domain,
                              const struct domain_reports *reports)
{
    const struct checked_domain *checked = check_results_find(writer->source->checks, domain);
    int64_t by_unix_s = writer_published_by(writer, reports);

    if (is_untried(checked))
        condition_print_unclear(CONDITION_CHECK, slice_of(domain), writer->out);
    if (is_untried(checked) || by_unix_s > 0)
        condition_print_unclear(CONDITION_DNS, slice_of(domain), writer->out);
    if (by_unix_s > 0 && has_dns_error(checked) &&
        (writer->recheck_unix_s == 0 || by_unix_s < writer->recheck_unix_s))
        writer->recheck_unix_s = by_unix_s;
    for (size_t i = 0; checked && i < checked->n_findings; i++) {
        const struct checked_finding *finding = &checked->findings[i];
        enum condition_kind kind = kind_of_error(finding->kind->code);

        if (strcmp(finding->kind->severity, "error") == 0 &&
            (kind == CONDITION_CHECK || by_unix_s == 0))
            writer_put(
                writer, kind, domain, finding->kind->code,
                report_words_print(writer->arena, "%s: %s", finding->text, finding->kind->meaning),
                finding->kind->advice);
    }
}

/* Of each verdict: its code and what it says, where its reasons say nothing. */
static const struct verdict_words {
    const char *code, *text, *advice;
} verdict_words[REPORT_VERDICT_COUNT] = {
    [REPORT_VERDICT_READY] = {"ready",
                              "The verdict is READY: by the reports, mode enforce is safe.",
                              "Write mode: enforce, run mta-stsd --reload, and publish the new "
                              "record."},
    [REPORT_VERDICT_NOT_YET] = {"not-yet", "The verdict is NOT YET",
                                "Stay in mode testing, or see mta-stsd --reports for what is "
                                "missing."},
    [REPORT_VERDICT_BROKEN] = {"broken", "The verdict is BROKEN",
                               "See mta-stsd --reports for which senders and MX hosts fail."},
    [REPORT_VERDICT_NO_DATA] = {"no-data", "The verdict is NO DATA",
                                "See that the domain's TLS reports reach this daemon."},
};

static void writer_put_verdict(const struct condition_writer *writer, const char *domain,
                               const struct report_verdict *verdict)
{
    const struct verdict_words *words = &verdict_words[verdict->kind];
    const char *text = words->text, *advice = words->advice;

    if (verdict->n_reasons > 0 && verdict->kind != REPORT_VERDICT_READY) {
        text = report_words_print(writer->arena, "%s: %s.", text, verdict->reasons[0].text);
        if (verdict->reasons[0].advice)
            advice = report_words_print(writer->arena, "%s.", verdict->reasons[0].advice);
    }
    writer_put(writer, CONDITION_VERDICT, domain, words->code, text, advice);
}

static void writer_put_removal(const struct condition_writer *writer,
                               const struct domain *configured, const struct policy *policy)
{
    const struct ledger *ledger = writer->source->ledger;
    const struct ledger_domain *known = ledger && ledger_damaged_line(ledger) == 0
                                            ? ledger_find(ledger, slice_of(configured->name))
                                            : NULL;

    if (policy && policy->mode == POLICY_MODE_NONE && known &&
        ledger_held_until(known, writer->source->now_unix_s) == 0)
        writer_put(writer, CONDITION_REMOVAL, configured->name, "removable",
                   "No sender holds a policy of this domain any more: its time in mode none is "
                   "over.",
                   "Remove the domain from the configuration, and its _mta-sts and mta-sts "
                   "records, unless it is to stay in mode none.");
}

static int writer_put_domain(struct condition_writer *writer, const struct domain *configured)
{
    struct domain_reports reports;

    if (!configured->document)
        return 0;
    if (domain_reports_load(writer->source, configured->name, writer->arena, &reports,
                            writer->err) != 0)
        return -1;
    if (writer->source->checks)
        writer_put_errors(writer, configured->name, &reports);
    writer_put_verdict(writer, configured->name, &reports.verdict);
    writer_put_removal(writer, configured, reports.policy);
    return 0;
}

static int conditions_print(void *context, FILE *out)
{
    struct condition_writer *writer = context;
    const struct config *config = writer->source->config;
    int result = 0;

    writer->out = out;
    condition_print_head(out);
    condition_print_known(CONDITION_VERDICT, out);
    condition_print_known(CONDITION_REMOVAL, out);
    if (writer->source->checks) {
        condition_print_known(CONDITION_DNS, out);
        condition_print_known(CONDITION_CHECK, out);
    }
    for (size_t i = 0; result == 0 && i < config->n_domains; i++) {
        result = writer_put_domain(writer, &config->domains[i]);
        arena_reset(writer->arena);
    }
    if (writer->recheck_unix_s != 0)
        condition_print_recheck(writer->recheck_unix_s, out);
    return result != 0 ? result : ferror(out);
}

int reports_conditions_write(const struct domain_reports_source *source, const char *path,
                             struct err *err)
{
    struct err domain_err = {.code = ERR_NONE};
    struct condition_writer writer = {.source = source, .arena = arena_new(0), .err = &domain_err};
    int result = file_replace(path, CONDITIONS_MODE, conditions_print, &writer, err);

    arena_free(writer.arena);
    if (domain_err.code != ERR_NONE)
        *err = domain_err;
    return result;
}
