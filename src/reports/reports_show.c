/* SPDX-License-Identifier: MIT */
#include "reports/reports_show.h"

#include <inttypes.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "lib/base/arena.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "reports/report_query.h"
#include "reports/reports_json.h"
#include "reports/reports_text.h"

struct show_run {
    const struct reports_show *show;
    struct json_writer writer;
    size_t n_shown;
    size_t n_of[REPORT_VERDICT_COUNT];
};

static void show_one_domain(struct show_run *run, const struct domain_reports *reports,
                            struct arena *arena)
{
    const struct reports_show *show = run->show;

    run->n_of[reports->verdict.kind]++;
    if (show->has_failures && reports->tally.n_failures == 0)
        return;
    if (show->has_json) {
        reports_json_print(reports, arena, &run->writer);
    } else {
        if (run->n_shown > 0)
            fputs("\n", show->out);
        reports_text_print(reports, arena, show->out);
    }
    run->n_shown++;
}

static int show_all_domains(struct show_run *run, struct err *err)
{
    struct arena *arena = arena_new(0);
    int result = 0;

    for (size_t i = 0; result == 0 && i < run->show->n_domains; i++) {
        struct domain_reports reports;

        result =
            domain_reports_load(&run->show->source, run->show->domains[i], arena, &reports, err);
        if (result == 0)
            show_one_domain(run, &reports, arena);
        arena_reset(arena);
    }
    arena_free(arena);
    return result;
}

static void show_totals(const struct show_run *run)
{
    const char *before = ": ";

    if (run->show->n_domains < 2)
        return;
    fprintf(run->show->out, "%s%zu domains", run->n_shown > 0 ? "\n" : "", run->show->n_domains);
    for (int kind = 0; kind < REPORT_VERDICT_COUNT; kind++) {
        if (run->n_of[kind] == 0)
            continue;
        fprintf(run->show->out, "%s%zu %s", before, run->n_of[kind],
                report_verdict_name((enum report_verdict_kind)kind));
        before = ", ";
    }
    fputs("\n", run->show->out);
}

static int show_unreadable(const struct show_run *run, struct err *err)
{
    int64_t n;

    if (!run->show->has_unreadable)
        return 0;
    if (report_query_count_unreadable(run->show->source.database, &n, err) != 0)
        return -1;
    if (n > 0)
        fprintf(run->show->out, "%" PRId64 " %s not be read; see mta-stsd --reports --raw\n", n,
                n == 1 ? "report could" : "reports could");
    return 0;
}

int reports_show_domains(const struct reports_show *show, size_t *ret_n_broken, struct err *err)
{
    struct show_run run = {.show = show, .writer = {.out = show->out, .indent = 2}};

    if (show->has_json)
        json_begin_array(&run.writer, JSON_ON_LINES);
    if (show_all_domains(&run, err) != 0)
        return -1;
    if (show->has_json) {
        json_end_array(&run.writer);
        fputs("\n", show->out);
    } else {
        show_totals(&run);
        if (show_unreadable(&run, err) != 0)
            return -1;
    }
    *ret_n_broken = run.n_of[REPORT_VERDICT_BROKEN];
    return 0;
}

static void show_base64(struct json_writer *writer, struct slice bytes)
{
    unsigned char *text = memory_alloc((bytes.len + 2) / 3 * 4 + 1);

    EVP_EncodeBlock(text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    json_text_member(writer, "base64", (const char *)text);
    free(text);
}

static int show_raw_report(void *context, const struct raw_report *report)
{
    struct json_writer *writer = context;

    json_begin_object(writer, JSON_ON_LINES);
    json_number_member(writer, "received", (uint64_t)report->received_unix_s);
    if (report->reason)
        json_text_member(writer, "reason", report->reason);
    if (utf8_is_valid(report->bytes)) {
        json_key(writer, "report");
        json_slice(writer, report->bytes);
    } else {
        show_base64(writer, report->bytes);
    }
    json_end_object(writer);
    return 0;
}

int reports_show_raw(struct report_database *database, const char *domain, FILE *out,
                     struct err *err)
{
    struct json_writer writer = {.out = out, .indent = 2};

    json_begin_array(&writer, JSON_ON_LINES);
    if (report_query_raw(database, domain, show_raw_report, &writer, err) != 0)
        return -1;
    json_end_array(&writer);
    fputs("\n", out);
    return 0;
}
