/* SPDX-License-Identifier: MIT */
#include "reports/site_domain.h"

#include <inttypes.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/record.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/report_store.h"
#include "reports/report_words.h"
#include "reports/reports_members.h"
#include "reports/site_steps.h"

enum {
    REPORTERS_SHOWN = 20, /* strangers decide how many there are; the others are one series */
    FAILURES_SHOWN = 100,
    CHANGES_SHOWN = 50,
};

int site_domain_load(const struct site_source *source, const struct domain *configured,
                     struct arena *arena, struct site_domain *ret_domain, struct err *err)
{
    const struct domain_reports_source *reports = &source->reports;
    const struct ledger *ledger = reports->ledger;
    char host[POLICY_HOST_SIZE];
    struct site_domain domain = {.configured = configured,
                                 .now_unix_s = reports->now_unix_s,
                                 .has_certificate = configured->document != NULL,
                                 .has_check = source->reports.checks != NULL};

    if (domain_reports_load(reports, configured->name, arena, &domain.reports, err) != 0)
        return -1;
    if (ledger && ledger_damaged_line(ledger) == 0)
        domain.ledger = ledger_find(ledger, slice_of(configured->name));
    if (domain.ledger)
        domain.held_until_unix_s = ledger_held_until(domain.ledger, domain.now_unix_s);
    domain.sessions = session_days_make(&domain.reports.entries, &domain.reports.tally, arena);
    if (source->reports.checks)
        domain.checked = check_results_find(source->reports.checks, configured->name);
    if (domain.has_certificate)
        domain.certificate = site_certificates_find(
            source->certificates, dns_policy_host_render(configured->name, host), arena);
    *ret_domain = domain;
    return 0;
}

static void time_member(struct json_writer *writer, const char *key, int64_t unix_s)
{
    if (unix_s > 0)
        json_number_member(writer, key, (uint64_t)unix_s);
    else
        json_text_member(writer, key, NULL);
}

static void sessions_member(struct json_writer *writer, const char *key, int64_t n)
{
    if (n >= 0)
        json_number_member(writer, key, (uint64_t)n);
    else
        json_text_member(writer, key, NULL);
}

/* A host name as it is, anything else escaped and cut; NULL as null. */
static void stranger_member(struct json_writer *writer, const char *key, const char *text,
                            struct arena *arena)
{
    json_text_member(writer, key, text ? report_words_of(text, arena) : NULL);
}

/* A sentence of a stranger: as it came, since the page shows text as text, but cut. */
static void sentence_member(struct json_writer *writer, const char *key, const char *text,
                            struct arena *arena)
{
    json_text_member(writer, key, text ? report_words_cut(text, arena) : NULL);
}

static void site_policy_print(const struct site_domain *domain, struct json_writer *writer)
{
    const struct policy_document *document = domain->configured->document;
    const struct ledger_period *latest = domain->ledger ? domain->ledger->latest : NULL;
    bool is_served = latest && latest->until_unix_s == 0 && document &&
                     slice_eq_text(latest->policy.id, document->id);

    json_text_member(writer, "mode", document ? policy_mode_name(document->policy.mode) : NULL);
    json_text_member(writer, "policy_name", domain->configured->policy_name);
    if (!document)
        return;
    json_text_member(writer, "id", document->id);
    json_number_member(writer, "max_age", document->policy.max_age_s);
    json_key(writer, "body");
    json_slice(writer, document->body);
    time_member(writer, "since", is_served ? latest->from_unix_s : 0);
    time_member(writer, "held_until", domain->held_until_unix_s);
}

/* As mta-stsd --print-dns withholds the record: a policy is served before its id is published, but
 * an id that senders know stays. */
static const char *site_record_withheld(const struct site_domain *domain)
{
    bool was_fetchable = domain->ledger && domain->ledger->fetchable_unix_s != 0;

    if (!domain->has_certificate || was_fetchable ||
        !site_certificate_is_refused(domain->certificate.state))
        return NULL;
    return "Do not publish this record yet: senders have to be able to fetch the policy first, and "
           "the policy host has no certificate that they accept.";
}

static void records_print(const struct site_source *source, const struct site_domain *domain,
                          struct arena *arena, struct json_writer *writer)
{
    struct domain_records_spec spec = domain_records_spec_make(
        source->reports.config, domain->configured, site_record_withheld(domain));
    struct dns_record *records;
    size_t n = dns_records_list(&spec, arena, &records);

    json_key(writer, "records");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < n; i++) {
        const struct dns_record *record = &records[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "zone", record->zone);
        json_text_member(writer, "name", record->name);
        json_text_member(writer, "type", record_type_name(record->type));
        json_number_member(writer, "ttl", record->ttl_s);
        json_text_member(writer, "value", record->value);
        json_text_member(writer, "withheld", record->withheld);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void certificate_print(const struct site_domain *domain, struct json_writer *writer)
{
    const struct site_certificate *certificate = &domain->certificate;

    json_key(writer, "certificate");
    if (!domain->has_certificate) {
        json_text(writer, NULL);
        return;
    }
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "state", site_certificate_state_name(certificate->state));
    time_member(writer, "from", certificate->from_unix_s);
    time_member(writer, "until", certificate->until_unix_s);
    json_text_member(writer, "path", certificate->path);
    json_end_object(writer);
}

static void check_print(const struct site_domain *domain, struct arena *arena,
                        struct json_writer *writer)
{
    const struct checked_domain *checked = domain->checked;

    json_key(writer, "check");
    if (!domain->has_check) {
        json_text(writer, NULL);
        return;
    }
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "text", checked ? checked->text : NULL);
    json_key(writer, "findings");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; checked && i < checked->n_findings; i++) {
        const struct checked_finding *finding = &checked->findings[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "severity", finding->kind->severity);
        json_text_member(writer, "code", finding->kind->code);
        json_text_member(writer, "subject", finding->subject);
        sentence_member(writer, "text", finding->text, arena);
        json_text_member(writer, "meaning", finding->kind->meaning);
        json_text_member(writer, "advice", finding->kind->advice);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void steps_print(const struct site_source *source, const struct site_domain *domain,
                        struct arena *arena, struct json_writer *writer)
{
    struct report_verdict_rules rules = domain_reports_rules(source->reports.config);
    struct site_step steps[SITE_STEPS_MAX];
    size_t n = site_steps_list(domain, rules.days, arena, steps);

    json_key(writer, "steps");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "title", steps[i].title);
        json_text_member(writer, "text", steps[i].text);
        time_member(writer, "from", steps[i].from_unix_s);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void reporters_list(const struct report_tally *tally, struct arena *arena,
                           struct json_writer *writer)
{
    json_key(writer, "reporters");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < tally->n_reporters && i < REPORTERS_SHOWN; i++) {
        const struct reporter_tally *reporter = tally->reporters[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        stranger_member(writer, "name", reporter->name, arena);
        json_key(writer, "verified");
        json_bool(writer, reporter->proof != REPORT_PROOF_NONE);
        sessions_member(writer, "last_day", reporter->last_day);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_number_member(writer, "n_reporters", tally->n_reporters);
    reports_members_print_missing(tally, writer);
}

static void failures_list(const struct report_tally *tally, struct arena *arena,
                          struct json_writer *writer)
{
    json_key(writer, "failures");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < tally->n_failures && i < FAILURES_SHOWN; i++) {
        const struct failure_tally *failure = tally->failures[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        stranger_member(writer, "reporter", failure->reporter->name, arena);
        json_key(writer, "verified");
        json_bool(writer, failure->reporter->proof != REPORT_PROOF_NONE);
        stranger_member(writer, "type", failure->result_type, arena);
        json_text_member(writer, "means", result_type_find(failure->result_type)->means);
        stranger_member(writer, "mx", failure->mx, arena);
        sentence_member(writer, "reason", failure->reason, arena);
        sessions_member(writer, "sessions", failure->n_sessions);
        sessions_member(writer, "first_day", failure->first_day);
        sessions_member(writer, "last_day", failure->last_day);
        json_key(writer, "cured");
        json_bool(writer, failure->is_cured);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_number_member(writer, "n_failures", tally->n_failures);
}

static size_t reporter_shown(const struct session_day *day)
{
    return day->reporter < REPORTERS_SHOWN ? day->reporter : REPORTERS_SHOWN;
}

/* Rows of day, reporter, verified, sessions that succeeded, those that failed by class. */
static void sessions_print(const struct session_days *sessions, struct json_writer *writer)
{
    json_key(writer, "sessions");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < sessions->n;) {
        const struct session_day *first = &sessions->list[i];
        struct session_counts sum = {0};

        /* Those whose reporters are not shown are one row, for each day. */
        for (; i < sessions->n && sessions->list[i].day == first->day &&
               sessions->list[i].is_proven == first->is_proven &&
               reporter_shown(&sessions->list[i]) == reporter_shown(first);
             i++)
            session_counts_add(&sum, &sessions->list[i].counts);
        json_begin_array(writer, JSON_ON_ONE_LINE);
        json_number(writer, (uint64_t)first->day);
        json_number(writer, reporter_shown(first));
        json_number(writer, first->is_proven);
        json_number(writer, (uint64_t)sum.n_successful);
        for (size_t class = 0; class < SESSION_CLASSES; class ++)
            json_number(writer, (uint64_t)sum.n_failed[class]);
        json_end_array(writer);
    }
    json_end_array(writer);
}

static const char *change_of_policy(const struct ledger_period *period, struct arena *arena)
{
    const struct ledger_policy *policy = &period->policy;
    const struct ledger_policy *before = period->earlier ? &period->earlier->policy : NULL;
    char age[WHEN_SIZE];

    if (!before)
        return report_words_print(arena, "Served for the first time, in mode %s",
                                  policy_mode_name(policy->mode));
    if (policy->mode != before->mode)
        return report_words_print(arena, "Mode changed from %s to %s",
                                  policy_mode_name(before->mode), policy_mode_name(policy->mode));
    if (!slice_eq(policy->mx, before->mx))
        return report_words_print(arena, "MX hosts changed to %.*s", SLICE_ARG(policy->mx));
    if (policy->max_age_s != before->max_age_s)
        return report_words_print(arena, "max_age changed to %s",
                                  when_duration(policy->max_age_s, age));
    return "Policy changed";
}

static void site_change_print(struct json_writer *writer, int64_t unix_s, const char *text)
{
    json_begin_object(writer, JSON_ON_ONE_LINE);
    time_member(writer, "at", unix_s);
    json_text_member(writer, "text", text);
    json_end_object(writer);
}

/* The latest first. */
static void changes_print(const struct site_domain *domain, struct arena *arena,
                          struct json_writer *writer)
{
    const struct ledger_period *period = domain->ledger ? domain->ledger->latest : NULL;
    int64_t next_unix_s = 0; /* when the policy after this one began */

    json_key(writer, "changes");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    if (domain->certificate.from_unix_s > 0)
        site_change_print(writer, domain->certificate.from_unix_s, "Certificate issued");
    for (size_t n = 0; period && n < CHANGES_SHOWN; n++, period = period->earlier) {
        if (period->until_unix_s > 0 && period->until_unix_s != next_unix_s)
            site_change_print(writer, period->until_unix_s, "No policy was served from now on");
        site_change_print(writer, period->from_unix_s, change_of_policy(period, arena));
        next_unix_s = period->from_unix_s;
    }
    json_end_array(writer);
}

void site_domain_print(const struct site_source *source, const struct site_domain *domain,
                       struct arena *arena, struct json_writer *writer)
{
    const struct report_tally *tally = &domain->reports.tally;

    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "domain", domain->configured->name);
    site_policy_print(domain, writer);
    records_print(source, domain, arena, writer);
    certificate_print(domain, writer);
    check_print(domain, arena, writer);
    json_text_member(writer, "verdict", report_verdict_name(domain->reports.verdict.kind));
    reports_members_print_reasons(&domain->reports.verdict, JSON_ON_ONE_LINE, writer);
    steps_print(source, domain, arena, writer);
    reporters_list(tally, arena, writer);
    failures_list(tally, arena, writer);
    reports_members_print_fetchers(&domain->reports, JSON_ON_ONE_LINE, writer);
    sessions_print(&domain->sessions, writer);
    changes_print(domain, arena, writer);
    sessions_member(writer, "refused", tally->n_refused);
    json_end_object(writer);
}
