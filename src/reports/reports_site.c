/* SPDX-License-Identifier: MIT */
#include "reports/reports_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/report_database.h"
#include "reports/report_query.h"
#include "reports/report_store.h"
#include "reports/site_assets.h"
#include "reports/site_attention.h"
#include "reports/site_domain.h"
#include "reports/site_front.h"
#include "reports/site_output.h"
#include "reports/site_shard.h"
#include "version.h"

struct site_run {
    struct site_source source;
    struct site_output *output;
    struct site_attention *attention;
    struct site_totals totals;
    struct site_facts facts;
    const char **firsts; /* of each file with domains, the name of the first */
    size_t n_firsts;
    char warning[ERR_MSG_MAX];
};

static int run_write_assets(struct site_run *run, struct err *err)
{
    for (size_t i = 0; i < site_assets_count(); i++) {
        const struct site_asset *asset = site_assets_at(i);
        FILE *out = site_output_begin(run->output, asset->name, err);

        if (!out)
            return -1;
        fwrite(asset->bytes.ptr, 1, asset->bytes.len, out);
        if (site_output_end(run->output, err) != 0)
            return -1;
    }
    return 0;
}

static int run_write_domain(struct site_run *run, struct site_shard *shard,
                            const struct domain *configured, struct arena *arena, struct err *err)
{
    struct site_domain domain;
    struct json_writer *writer;
    bool is_first;

    if (site_domain_load(&run->source, configured, arena, &domain, err) != 0 ||
        site_shard_next(shard, &writer, &is_first, err) != 0)
        return -1;
    if (is_first)
        run->firsts[run->n_firsts++] = configured->name;
    site_domain_print(&run->source, &domain, arena, writer);
    site_totals_add(&run->totals, &domain, arena);
    site_attention_add(run->attention, &domain, arena);
    return 0;
}

static int run_write_domains(struct site_run *run, struct err *err)
{
    const struct config *config = run->source.reports.config;
    struct site_shard shard = {.output = run->output, .name = "domains"};
    struct arena *arena = arena_new(0);
    int result = 0;

    for (size_t i = 0; result == 0 && i < config->n_domains; i++) {
        result = run_write_domain(run, &shard, &config->domains[i], arena, err);
        arena_reset(arena);
    }
    arena_free(arena);
    return result == 0 ? site_shard_end(&shard, err) : -1;
}

/* Where the page of a domain finds it: the names are sorted. */
static int run_write_firsts(struct site_run *run, struct err *err)
{
    struct json_writer writer;

    if (site_script_begin(run->output, "firsts", &writer, err) != 0)
        return -1;
    json_begin_array(&writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < run->n_firsts; i++)
        json_text(&writer, run->firsts[i]);
    json_end_array(&writer);
    return site_script_end(run->output, &writer, err);
}

/* What the search reads. */
static int run_write_names(struct site_run *run, struct err *err)
{
    const struct config *config = run->source.reports.config;
    struct site_shard shard = {.output = run->output, .name = "names"};

    for (size_t i = 0; i < config->n_domains; i++) {
        const struct domain *domain = &config->domains[i];
        struct json_writer *writer;
        bool is_first;

        if (site_shard_next(&shard, &writer, &is_first, err) != 0)
            return -1;
        json_begin_array(writer, JSON_ON_ONE_LINE);
        json_text(writer, domain->name);
        json_text(writer,
                  domain->document ? policy_mode_name(domain->document->policy.mode) : NULL);
        json_end_array(writer);
    }
    run->facts.n_name_files = shard.n_files;
    return site_shard_end(&shard, err);
}

/* A domain that is gone is in no other part of the site. */
static void run_add_gone(struct site_run *run)
{
    const struct domain_reports_source *reports = &run->source.reports;
    const struct ledger_domain *known = NULL;

    while ((known = ledger_next(reports->ledger, known))) {
        int64_t held_until_unix_s = ledger_held_until(known, reports->now_unix_s);
        char date[WHEN_SIZE], text[2 * WHEN_SIZE];

        if (held_until_unix_s == 0 || config_find_domain(reports->config, slice_of(known->name)))
            continue;
        snprintf(text, sizeof(text), "held until %s", when_date(held_until_unix_s, date));
        site_attention_add_row(run->attention, SITE_SOON, "gone",
                               "The domain is not in the configuration any more, and senders may "
                               "hold its policy.",
                               "Serve it again in mode none until that date: mta-stsd --withdraw "
                               "DOMAIN says how.",
                               &(struct site_attention_row){known->name, text});
    }
}

static int run_write_group(struct site_run *run, size_t number, size_t *ret_n_files,
                           struct err *err)
{
    const struct site_attention_group group = site_attention_at(run->attention, number);
    char name[32];
    struct site_shard shard = {.output = run->output, .name = name};

    snprintf(name, sizeof(name), "group-%zu", number);
    for (size_t i = SITE_ROWS_FIRST; i < group.n_rows; i++) {
        struct json_writer *writer;
        bool is_first;

        if (site_shard_next(&shard, &writer, &is_first, err) != 0)
            return -1;
        json_begin_array(writer, JSON_ON_ONE_LINE);
        json_text(writer, group.rows[i].domain);
        json_text(writer, group.rows[i].text);
        json_end_array(writer);
    }
    *ret_n_files = shard.n_files;
    return site_shard_end(&shard, err);
}

static int run_write_front(struct site_run *run, struct err *err)
{
    size_t n_groups = site_attention_sort(run->attention);
    size_t *n_files = memory_alloc((n_groups + 1) * sizeof(*n_files));
    struct json_writer writer;
    int result = 0;

    for (size_t i = 0; result == 0 && i < n_groups; i++)
        result = run_write_group(run, i, &n_files[i], err);
    if (result == 0)
        result = site_script_begin(run->output, "front", &writer, err);
    if (result == 0) {
        site_front_print(&run->facts, &run->totals, run->attention, n_files, n_groups, &writer);
        result = site_script_end(run->output, &writer, err);
    }
    free(n_files);
    return result;
}

/* What is missing is said on the front page; it is no reason to write none. */
static void run_find_warning(struct site_run *run)
{
    const struct ledger *ledger = run->source.reports.ledger;
    size_t line = ledger ? ledger_damaged_line(ledger) : 0;

    if (line == 0)
        return;
    snprintf(run->warning, sizeof(run->warning),
             "Line %zu of the ledger is damaged, so nobody knows what senders may hold.", line);
    run->facts.warning = run->warning;
}

static int run_write_all(struct site_run *run, struct err *err)
{
    if (report_database_begin_reading(run->source.reports.database, err) != 0 ||
        run_write_assets(run, err) != 0 || run_write_domains(run, err) != 0 ||
        run_write_firsts(run, err) != 0 || run_write_names(run, err) != 0)
        return -1;
    run_add_gone(run);
    if (run_write_front(run, err) != 0)
        return -1;
    return site_output_publish(run->output, err);
}

static int run_gather(struct site_run *run, const char *directory, struct err *err)
{
    const struct domain_reports_source *reports = &run->source.reports;

    if (report_query_count_unreadable(reports->database, &run->facts.n_unreadable, err) != 0)
        return -1;
    run->facts.checked_unix_s = reports->checks ? check_results_at_unix_s(reports->checks) : 0;
    run_find_warning(run);
    return site_output_open(directory, &run->output, err);
}

int reports_site_write(const struct domain_reports_source *source, const char *directory,
                       size_t *ret_n_domains, struct err *err)
{
    size_t n_days = (size_t)source->days + 1; /* with the day that has not ended */
    struct arena *arena = arena_new(0);
    struct site_run run = {
        .source = {.reports = *source,
                   .certificates = site_certificates_new(source->config, source->now_unix_s)},
        .attention = site_attention_new(),
        .totals = {.first_day = report_day_of(source->now_unix_s) - source->days,
                   .n_days = n_days,
                   .days = arena_array(arena, n_days, sizeof(*run.totals.days))},
        .facts = {.written_unix_s = source->now_unix_s, .version = MTA_VERSION},
        .firsts = arena_array(arena, source->config->n_domains + 1, sizeof(*run.firsts)),
    };
    int result = run_gather(&run, directory, err);

    if (result == 0)
        result = run_write_all(&run, err);
    *ret_n_domains = run.totals.n_domains;
    report_database_roll_back(source->database);
    site_output_free(run.output);
    site_attention_free(run.attention);
    site_certificates_free(run.source.certificates);
    arena_free(arena);
    return result;
}
