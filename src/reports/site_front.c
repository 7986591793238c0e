/* SPDX-License-Identifier: MIT */
#include "reports/site_front.h"

#include "lib/base/json.h"
#include "lib/config/config.h"
#include "reports/site_domain.h"

static void totals_add_days(struct site_totals *totals, const struct session_days *sessions)
{
    for (size_t i = 0; i < sessions->n; i++) {
        const struct session_day *day = &sessions->list[i];

        if (day->day >= totals->first_day && day->day < totals->first_day + (int64_t)totals->n_days)
            session_counts_add(&totals->days[day->day - totals->first_day][day->is_proven],
                               &day->counts);
    }
}

/* A checker sends no mail. */
static enum site_fetched site_fetched_of(const struct domain_reports *reports)
{
    const struct policy_fetchers *fetchers = &reports->fetchers;
    size_t i = 0;

    while (i < fetchers->n && fetchers->list[i].sender == FETCH_SENDER_CHECKER)
        i++;
    if (i == fetchers->n)
        return SITE_FETCHED_NEVER;
    if (reports->served_since_unix_s == 0)
        return SITE_FETCHED_UNKNOWN;
    return fetchers->list[i].last_unix_s >= reports->served_since_unix_s ? SITE_FETCHED_NOW
                                                                         : SITE_FETCHED_EARLIER;
}

void site_totals_add(struct site_totals *totals, const struct site_domain *domain,
                     struct arena *arena)
{
    struct site_need need;
    const struct policy_document *document = domain->configured->document;

    totals->n_domains++;
    totals->n_modes[document ? document->policy.mode : POLICY_MODE_COUNT]++;
    totals_add_days(totals, &domain->sessions);
    if (site_attention_first(domain, arena, &need))
        totals->n_urgencies[need.urgency]++;
    if (!document)
        return;
    totals->n_verdicts[domain->reports.verdict.kind]++;
    totals->n_certificates[domain->certificate.state]++;
    totals->n_fetched[site_fetched_of(&domain->reports)]++;
}

static void front_print_modes(const struct site_totals *totals, struct json_writer *writer)
{
    json_key(writer, "modes");
    json_begin_object(writer, JSON_ON_ONE_LINE);
    for (int mode = 0; mode < POLICY_MODE_COUNT; mode++)
        json_number_member(writer, policy_mode_name((enum policy_mode)mode), totals->n_modes[mode]);
    json_number_member(writer, "reports only", totals->n_modes[POLICY_MODE_COUNT]);
    json_end_object(writer);
}

static void front_print_states(const struct site_totals *totals, struct json_writer *writer)
{
    static const char *const fetched_names[SITE_FETCHED_COUNT] = {
        [SITE_FETCHED_NOW] = "now",
        [SITE_FETCHED_EARLIER] = "earlier",
        [SITE_FETCHED_UNKNOWN] = "unknown",
        [SITE_FETCHED_NEVER] = "never",
    };

    json_key(writer, "verdicts");
    json_begin_object(writer, JSON_ON_ONE_LINE);
    for (int kind = 0; kind < REPORT_VERDICT_COUNT; kind++)
        json_number_member(writer, report_verdict_name((enum report_verdict_kind)kind),
                           totals->n_verdicts[kind]);
    json_end_object(writer);
    json_key(writer, "certificates");
    json_begin_object(writer, JSON_ON_ONE_LINE);
    for (int state = 0; state < SITE_CERTIFICATE_COUNT; state++)
        json_number_member(writer, site_certificate_state_name((enum site_certificate_state)state),
                           totals->n_certificates[state]);
    json_end_object(writer);
    json_key(writer, "fetched");
    json_begin_object(writer, JSON_ON_ONE_LINE);
    for (int fetched = 0; fetched < SITE_FETCHED_COUNT; fetched++)
        json_number_member(writer, fetched_names[fetched], totals->n_fetched[fetched]);
    json_end_object(writer);
    json_key(writer, "urgencies");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (int urgency = 0; urgency < SITE_URGENCY_COUNT; urgency++)
        json_number(writer, totals->n_urgencies[urgency]);
    json_end_array(writer);
}

/* Rows of verified, sessions that succeeded, those that failed by class: two for each day. */
static void front_print_days(const struct site_totals *totals, struct json_writer *writer)
{
    json_number_member(writer, "first_day", (uint64_t)totals->first_day);
    json_key(writer, "days");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < 2 * totals->n_days; i++) {
        const struct session_counts *counts = &totals->days[i / 2][i % 2];

        json_begin_array(writer, JSON_ON_ONE_LINE);
        json_number(writer, i % 2);
        json_number(writer, (uint64_t)counts->n_successful);
        for (size_t class = 0; class < SESSION_CLASSES; class ++)
            json_number(writer, (uint64_t)counts->n_failed[class]);
        json_end_array(writer);
    }
    json_end_array(writer);
}

static void front_print_group(const struct site_attention_group *group, size_t n_files,
                              struct json_writer *writer)
{
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_number_member(writer, "urgency", (uint64_t)group->urgency);
    json_text_member(writer, "code", group->code);
    json_text_member(writer, "title", group->title);
    json_text_member(writer, "advice", group->advice);
    json_number_member(writer, "n", group->n_rows);
    json_number_member(writer, "files", n_files);
    json_key(writer, "rows");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < group->n_rows && i < SITE_ROWS_FIRST; i++) {
        json_begin_array(writer, JSON_ON_ONE_LINE);
        json_text(writer, group->rows[i].domain);
        json_text(writer, group->rows[i].text);
        json_end_array(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

void site_front_print(const struct site_facts *facts, const struct site_totals *totals,
                      const struct site_attention *attention, const size_t *n_files,
                      size_t n_groups, struct json_writer *writer)
{
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_number_member(writer, "written", (uint64_t)facts->written_unix_s);
    json_number_member(writer, "checked", (uint64_t)facts->checked_unix_s);
    json_number_member(writer, "unreadable", (uint64_t)facts->n_unreadable);
    json_text_member(writer, "version", facts->version);
    json_text_member(writer, "warning", facts->warning);
    json_number_member(writer, "name_files", facts->n_name_files);
    json_number_member(writer, "domains", totals->n_domains);
    front_print_modes(totals, writer);
    front_print_states(totals, writer);
    front_print_days(totals, writer);
    json_key(writer, "groups");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < n_groups; i++) {
        const struct site_attention_group group = site_attention_at(attention, i);

        front_print_group(&group, n_files[i], writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}
