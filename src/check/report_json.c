/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check/domain_check.h"
#include "check/findings.h"
#include "check/report.h"
#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/policy/policy.h"

static void json_report_begin(struct report *report)
{
    struct json_writer *writer = memory_alloc(sizeof(*writer));

    *writer = (struct json_writer){.out = report->out, .indent = 2};
    report->state = writer;
    json_begin_object(writer, JSON_ON_LINES);
    json_key(writer, "domains");
    json_begin_array(writer, JSON_ON_LINES);
}

static void json_put_policy(struct json_writer *writer, const struct policy *policy)
{
    json_key(writer, "policy");
    if (!policy) {
        json_text(writer, NULL);
        return;
    }
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "mode", policy_mode_name(policy->mode));
    json_number_member(writer, "max_age", policy->max_age_s);
    json_key(writer, "mx");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < policy->n_mx; i++)
        json_slice(writer, policy->mx[i]);
    json_end_array(writer);
    json_end_object(writer);
}

static void json_put_addresses(struct json_writer *writer, const struct domain_report *domain)
{
    json_key(writer, "policy_host");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < domain->n_addresses; i++) {
        const struct host_address *address = &domain->addresses[i];
        const struct http_result *result = &address->result;

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "address", address->text);
        json_number_member(writer, "status", (uint64_t)result->status);
        json_number_member(writer, "bytes", result->body.len);
        json_number_member(writer, "time_ms", result->time_ms);
        if (result->has_cert)
            json_number_member(writer, "certificate_ends", (uint64_t)result->cert.ends_unix_s);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static const char *json_outcome_name(enum mx_outcome outcome)
{
    switch (outcome) {
    case MX_ACCEPTS:
        return "accepts";
    case MX_REFUSES:
        return "refuses";
    case MX_UNKNOWN:
        break;
    }
    return "unknown";
}

static void json_put_mx(struct json_writer *writer, const struct domain_report *domain)
{
    json_key(writer, "mx");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < domain->n_mx; i++) {
        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "host", domain->mx[i].host);
        json_number_member(writer, "preference", domain->mx[i].preference);
        json_key(writer, "in_policy");
        json_bool(writer, domain->mx[i].is_covered);
        json_text_member(writer, "mta_sts", json_outcome_name(domain->mx[i].sts));
        json_text_member(writer, "dane", json_outcome_name(domain->mx[i].dane));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void json_put_findings(struct report *report, const struct findings *findings)
{
    struct json_writer *writer = report->state;

    json_key(writer, "findings");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < findings_count(findings); i++) {
        const struct seen_finding *seen = findings_at(findings, i);
        const struct check_row *row = check_row_of(seen->finding);

        if (!report_shows(report, row->severity))
            continue;
        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "severity", check_severity_name(row->severity));
        json_text_member(writer, "code", row->code);
        json_text_member(writer, "subject", seen->subject);
        json_text_member(writer, "text", seen->text);
        json_text_member(writer, "meaning", row->meaning);
        json_text_member(writer, "advice", row->advice);
        json_text_member(writer, "source", row->source);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void json_put_counts(struct json_writer *writer, const size_t counts[CHECK_SEVERITY_COUNT])
{
    static const char *const keys[CHECK_SEVERITY_COUNT] = {"errors", "warnings", "notes",
                                                           "unknown"};

    for (size_t i = 0; i < CHECK_SEVERITY_COUNT; i++)
        json_number_member(writer, keys[i], counts[i]);
}

/* A domain of which nothing is known is never left out: who reads the results is not to take it for
 * one without errors. */
static bool json_shows(const struct report *report, const struct domain_report *domain)
{
    return report->extent == REPORT_ALL || domain->verdict == VERDICT_UNKNOWN ||
           findings_of(domain->findings, CHECK_ERROR) > 0 ||
           findings_of(domain->findings, CHECK_WARNING) > 0;
}

static void json_report_domain(struct report *report, const struct domain_report *domain)
{
    struct json_writer *writer = report->state;
    char text[VERDICT_TEXT_MAX];
    size_t counts[CHECK_SEVERITY_COUNT];

    if (!json_shows(report, domain))
        return;
    for (int i = 0; i < CHECK_SEVERITY_COUNT; i++)
        counts[i] = findings_of(domain->findings, (enum check_severity)i);
    json_begin_object(writer, JSON_ON_LINES);
    json_text_member(writer, "domain", domain->domain);
    json_key(writer, "hosted");
    json_bool(writer, domain->is_ours);
    json_text_member(writer, "verdict", verdict_code(domain->verdict));
    json_text_member(writer, "dane_verdict", verdict_code(verdict_of_dane(&domain->facts)));
    json_text_member(writer, "text", verdict_text(domain->verdict, &domain->facts, text));
    json_put_counts(writer, counts);
    json_text_member(writer, "id", domain->id);
    json_put_policy(writer, domain->policy);
    json_put_addresses(writer, domain);
    json_put_mx(writer, domain);
    json_put_findings(report, domain->findings);
    json_end_object(writer);
}

static void json_report_end(struct report *report)
{
    struct json_writer *writer = report->state;

    json_end_array(writer);
    json_number_member(writer, "checked", report->totals.n_domains);
    json_put_counts(writer, report->totals.n_findings);
    json_end_object(writer);
    fputc('\n', report->out);
    free(writer);
}

const struct report_format report_json = {json_report_begin, json_report_domain, json_report_end};
