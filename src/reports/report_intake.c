/* SPDX-License-Identifier: MIT */
#include "reports/report_intake.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/dns/name.h"
#include "reports/inflate.h"
#include "reports/peer_proof.h"
#include "reports/report_database.h"
#include "reports/report_mail.h"
#include "reports/report_parse.h"
#include "reports/report_scope.h"
#include "reports/report_store.h"
#include "reports/tls_report.h"

struct report_intake {
    struct report_intake_parts parts;
    struct arena *arena; /* of one report */
    struct report_intake_counts counts;
    bool has_group;
    size_t n_pending;
};

struct report_intake *report_intake_new(const struct report_intake_parts *parts)
{
    struct report_intake *intake = memory_alloc(sizeof(*intake));

    *intake = (struct report_intake){.parts = *parts, .arena = arena_new(0)};
    return intake;
}

static void intake_roll_back(struct report_intake *intake)
{
    if (intake->has_group)
        report_database_roll_back(intake->parts.database);
    intake->has_group = false;
    intake->n_pending = 0;
}

void report_intake_free(struct report_intake *intake)
{
    if (!intake)
        return;
    intake_roll_back(intake);
    arena_free(intake->arena);
    free(intake);
}

static void intake_count(struct report_intake_counts *counts, enum report_outcome outcome)
{
    switch (outcome) {
    case REPORT_NEW:
        counts->n_new++;
        break;
    case REPORT_DUPLICATE:
        counts->n_duplicates++;
        break;
    case REPORT_CONFLICT:
        counts->n_conflicts++;
        break;
    case REPORT_FOREIGN:
        counts->n_foreign++;
        break;
    case REPORT_OVER_CAP:
        counts->n_over_cap++;
        break;
    }
}

static int intake_add_unreadable(struct report_intake *intake, const struct report_part *part,
                                 const char *reason, const struct report_meta *meta,
                                 struct err *err)
{
    struct slice evidence = slice_range(part->bytes, 0, REPORT_EVIDENCE_MAX);
    enum report_outcome outcome;

    if (part->certainty == REPORT_PART_POSSIBLE)
        return 0;
    if (report_store_add_unreadable(intake->parts.database, evidence, reason, meta, &outcome,
                                    err) != 0)
        return -1;
    intake->counts.n_unreadable++;
    return 0;
}

/* The domain of the report, if its peer is a host of that domain. */
static struct report_meta meta_with_proof(struct report_intake *intake,
                                          const struct tls_report *report,
                                          const struct report_meta *meta)
{
    struct report_meta proven = *meta;
    char domain[DNS_NAME_MAX + 1];
    struct err err;

    if (!intake->parts.proofs || meta->proof != REPORT_PROOF_NONE || meta->peer.len == 0 ||
        dns_name_parse(slice_of(report_submitter_of(report)), domain, NULL, &err) != 0 ||
        !peer_proofs_hold(intake->parts.proofs, arena_copy(intake->arena, meta->peer), domain))
        return proven;
    proven.proof = REPORT_PROOF_PEER;
    proven.proven_domain = slice_of(arena_copy(intake->arena, slice_of(domain)));
    return proven;
}

static int intake_add_part(struct report_intake *intake, const struct report_part *part,
                           const struct report_meta *meta, struct err *err)
{
    const struct tls_report *report;
    struct report_meta proven;
    enum report_outcome outcome;
    struct slice json;
    struct err why;

    if (part->fault)
        return intake_add_unreadable(intake, part, part->fault, meta, err);
    if (inflate_body(part->bytes, intake->arena, &json, &why) != 0 ||
        report_parse(json, part->domain_hint, intake->arena, &report, &why) != 0)
        return intake_add_unreadable(intake, part, why.msg, meta, err);
    proven = meta_with_proof(intake, report, meta);
    if (report_store_add(intake->parts.database, report, json, &proven, report_scope_has,
                         intake->parts.scope, &outcome, err) != 0)
        return -1;
    intake_count(&intake->counts, outcome);
    return 0;
}

int report_intake_add(struct report_intake *intake, const struct report_part *part,
                      const struct report_meta *meta, struct err *err)
{
    arena_reset(intake->arena);
    if (!intake->has_group && report_database_begin(intake->parts.database, err) != 0)
        return -1;
    intake->has_group = true;
    if (intake_add_part(intake, part, meta, err) != 0) {
        intake_roll_back(intake);
        return -1;
    }
    intake->n_pending++;
    return 0;
}

int report_intake_commit(struct report_intake *intake, struct err *err)
{
    bool has_group = intake->has_group;

    intake->has_group = false;
    intake->n_pending = 0;
    return has_group ? report_database_commit(intake->parts.database, err) : 0;
}

size_t report_intake_pending(const struct report_intake *intake)
{
    return intake->n_pending;
}

struct report_intake_counts report_intake_counts(const struct report_intake *intake)
{
    return intake->counts;
}

void report_intake_counts_print(const struct report_intake_counts *counts, FILE *out)
{
    const struct {
        size_t n;
        const char *what;
    } rows[] = {
        {counts->n_new, "new"},
        {counts->n_duplicates, "known already"},
        {counts->n_conflicts, "of an id that another report has too, with other content"},
        {counts->n_foreign, "about other domains, kept aside"},
        {counts->n_over_cap, "unverified and too many of a domain and day, dropped"},
        {counts->n_unreadable, "unreadable, kept aside"},
    };
    const char *before = ": ";
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        n += rows[i].n;
    if (n == 0)
        return;
    fprintf(out, "%zu %s", n, n == 1 ? "report" : "reports");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].n == 0)
            continue;
        fprintf(out, "%s%zu %s", before, rows[i].n, rows[i].what);
        before = ", ";
    }
    fputs("\n", out);
}
