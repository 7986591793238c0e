/* SPDX-License-Identifier: MIT */
#include "reports/reports_members.h"

#include "lib/state/fetch_sender.h"
#include "reports/domain_reports.h"
#include "reports/report_coverage.h"

void reports_members_print_reasons(const struct report_verdict *verdict, enum json_layout layout,
                                   struct json_writer *writer)
{
    json_key(writer, "reasons");
    json_begin_array(writer, layout);
    for (size_t i = 0; i < verdict->n_reasons; i++) {
        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "text", verdict->reasons[i].text);
        json_text_member(writer, "advice", verdict->reasons[i].advice);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void reports_members_print_missing(const struct report_tally *tally, struct json_writer *writer)
{
    const char *name;

    json_key(writer, "missing_reporters");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; (name = report_coverage_missing(tally, i)); i++)
        json_text(writer, name);
    json_end_array(writer);
}

static void fetcher_print_json(const struct policy_fetcher *fetcher, int64_t served_since_unix_s,
                               struct json_writer *writer)
{
    json_begin_object(writer, JSON_ON_ONE_LINE);
    json_text_member(writer, "sender", fetch_sender_word(fetcher->sender));
    json_text_member(writer, "name", fetch_sender_name(fetcher->sender));
    json_number_member(writer, "fetches", (uint64_t)fetcher->n);
    json_number_member(writer, "first_unix", (uint64_t)fetcher->first_unix_s);
    json_number_member(writer, "last_unix", (uint64_t)fetcher->last_unix_s);
    json_text_member(writer, "prefix", fetcher->prefix[0] == '-' ? NULL : fetcher->prefix);
    json_key(writer, "has_current");
    if (served_since_unix_s > 0)
        json_bool(writer, fetcher->last_unix_s >= served_since_unix_s);
    else
        json_text(writer, NULL);
    json_end_object(writer);
}

void reports_members_print_fetchers(const struct domain_reports *reports, enum json_layout layout,
                                    struct json_writer *writer)
{
    json_key(writer, "fetchers");
    json_begin_array(writer, layout);
    for (size_t i = 0; i < reports->fetchers.n; i++)
        fetcher_print_json(&reports->fetchers.list[i], reports->served_since_unix_s, writer);
    json_end_array(writer);
}
