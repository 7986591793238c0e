/* SPDX-License-Identifier: MIT */
#include "reports/reports_json.h"

#include "lib/base/json.h"
#include "lib/policy/policy.h"
#include "reports/domain_reports.h"
#include "reports/report_words.h"
#include "reports/reports_members.h"
#include "reports/tls_report.h"

static void count_member(struct json_writer *writer, const char *key, int64_t count)
{
    if (count == UNKNOWN_COUNT)
        json_text_member(writer, key, NULL);
    else
        json_number_member(writer, key, (uint64_t)count);
}

static void bool_member(struct json_writer *writer, const char *key, bool value)
{
    json_key(writer, key);
    json_bool(writer, value);
}

static void proof_member(struct json_writer *writer, enum report_proof proof)
{
    static const char *const names[REPORT_PROOF_COUNT] = {
        [REPORT_PROOF_NONE] = "none",
        [REPORT_PROOF_FILE] = "file",
        [REPORT_PROOF_PEER] = "peer",
        [REPORT_PROOF_DKIM] = "dkim",
    };

    json_text_member(writer, "proof", names[proof]);
}

static void days_members(struct json_writer *writer, int64_t first_day, int64_t last_day,
                         struct arena *arena)
{
    json_text_member(writer, "first_day", report_words_iso_day(first_day, arena));
    json_text_member(writer, "last_day", report_words_iso_day(last_day, arena));
}

static void reporters_print(const struct report_tally *tally, struct arena *arena,
                            struct json_writer *writer)
{
    json_key(writer, "reporters");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < tally->n_reporters; i++) {
        const struct reporter_tally *reporter = tally->reporters[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "name", reporter->name);
        proof_member(writer, reporter->proof);
        days_members(writer, reporter->first_day, reporter->last_day, arena);
        count_member(writer, "successful", reporter->n_successful);
        count_member(writer, "failed", reporter->n_failed);
        count_member(writer, "other_policy", reporter->n_other_policy);
        count_member(writer, "without_policy", reporter->n_without_policy);
        bool_member(writer, "has_unknown_counts", reporter->has_unknown_counts);
        bool_member(writer, "is_echo", reporter->is_echo);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void failures_print(const struct report_tally *tally, struct arena *arena,
                           struct json_writer *writer)
{
    static const char *const classes[TALLY_CLASSES] = {
        [RESULT_NEGOTIATION] = "negotiation",
        [RESULT_POLICY_HOST] = "policy-host",
        [RESULT_DANE] = "dane",
        [RESULT_UNKNOWN] = "unknown",
    };

    json_key(writer, "failures");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < tally->n_failures; i++) {
        const struct failure_tally *failure = tally->failures[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "reporter", failure->reporter->name);
        proof_member(writer, failure->reporter->proof);
        json_text_member(writer, "type", failure->result_type);
        json_text_member(writer, "class", classes[failure->class]);
        json_text_member(writer, "mx", failure->mx);
        json_text_member(writer, "reason", failure->reason);
        count_member(writer, "sessions", failure->n_sessions);
        days_members(writer, failure->first_day, failure->last_day, arena);
        bool_member(writer, "is_cured", failure->is_cured);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void entries_print(const struct report_entries *entries, struct arena *arena,
                          struct json_writer *writer)
{
    static const char *const types[] = {
        [TLS_POLICY_STS] = "sts",
        [TLS_POLICY_TLSA] = "tlsa",
        [TLS_POLICY_NONE] = "no-policy-found",
        [TLS_POLICY_OTHER] = "other",
    };

    json_key(writer, "entries");
    json_begin_array(writer, JSON_ON_LINES);
    for (size_t i = 0; i < entries->n; i++) {
        const struct report_entry *entry = &entries->list[i];

        json_begin_object(writer, JSON_ON_ONE_LINE);
        json_text_member(writer, "day", report_words_iso_day(entry->day, arena));
        json_text_member(writer, "reporter", entry->reporter);
        proof_member(writer, entry->proof);
        json_text_member(writer, "policy_type", types[entry->type]);
        count_member(writer, "successful", entry->n_successful);
        count_member(writer, "failed", entry->n_failed);
        bool_member(writer, "is_conflict", entry->is_conflict);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void reports_json_print(const struct domain_reports *reports, struct arena *arena,
                        struct json_writer *writer)
{
    const struct report_tally *tally = &reports->tally;

    json_begin_object(writer, JSON_ON_LINES);
    json_text_member(writer, "domain", reports->domain);
    json_text_member(writer, "verdict", report_verdict_name(reports->verdict.kind));
    json_text_member(writer, "mode",
                     reports->policy ? policy_mode_name(reports->policy->mode) : NULL);
    reports_members_print_reasons(&reports->verdict, JSON_ON_LINES, writer);
    count_member(writer, "days", reports->days);
    reporters_print(tally, arena, writer);
    reports_members_print_missing(tally, writer);
    reports_members_print_fetchers(reports, JSON_ON_LINES, writer);
    failures_print(tally, arena, writer);
    entries_print(&reports->entries, arena, writer);
    json_number_member(writer, "conflicts", tally->n_conflicts);
    count_member(writer, "refused", tally->n_refused);
    json_end_object(writer);
}
