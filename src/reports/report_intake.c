/* SPDX-License-Identifier: MIT */
#include "reports/report_intake.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
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
    size_t n_in_group;
    uint64_t group_began_ms;
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
    intake->n_in_group = 0;
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

/* A part that is read, but not stored. */
struct intake_reading {
    const struct tls_report *report; /* NULL: it is none */
    struct slice json;
    struct report_meta meta;
    struct err why;
};

static void intake_read(struct report_intake *intake, const struct report_part *part,
                        const struct report_meta *meta, struct intake_reading *ret_reading)
{
    *ret_reading = (struct intake_reading){.meta = *meta};
    if (part->fault)
        err_set(&ret_reading->why, ERR_SYNTAX, "%s", part->fault);
    else if (inflate_body(part->bytes, intake->arena, &ret_reading->json, &ret_reading->why) == 0 &&
             report_parse(ret_reading->json, part->domain_hint, intake->arena, &ret_reading->report,
                          &ret_reading->why) == 0)
        ret_reading->meta = meta_with_proof(intake, ret_reading->report, meta);
}

static int intake_store(struct report_intake *intake, const struct report_part *part,
                        const struct intake_reading *reading, struct err *err)
{
    struct slice evidence = slice_range(part->bytes, 0, REPORT_EVIDENCE_MAX);
    enum report_outcome outcome;

    if (reading->report) {
        if (report_store_add(intake->parts.database, reading->report, reading->json, &reading->meta,
                             report_scope_has, intake->parts.scope, &outcome, err) != 0)
            return -1;
        intake_count(&intake->counts, outcome);
        return 0;
    }
    if (report_store_add_unreadable(intake->parts.database, evidence, reading->why.msg,
                                    &reading->meta, &outcome, err) != 0)
        return -1;
    intake->counts.n_unreadable++;
    return 0;
}

static int intake_begin(struct report_intake *intake, struct err *err)
{
    if (intake->has_group)
        return 0;
    if (report_database_begin(intake->parts.database, err) != 0)
        return -1;
    intake->has_group = true;
    intake->group_began_ms = intake->parts.clock->monotonic_ms(intake->parts.clock);
    return 0;
}

int report_intake_add(struct report_intake *intake, const struct report_part *part,
                      const struct report_meta *meta, struct err *err)
{
    struct intake_reading reading;

    arena_reset(intake->arena);
    intake_read(intake, part, meta, &reading);
    if (!reading.report && part->certainty == REPORT_PART_POSSIBLE)
        return 0;
    /* Only now: DNS may take seconds to answer, and the group keeps others from writing. */
    if (intake_begin(intake, err) != 0)
        return -1;
    if (intake_store(intake, part, &reading, err) != 0) {
        intake_roll_back(intake);
        return -1;
    }
    intake->n_in_group++;
    return 0;
}

int report_intake_commit(struct report_intake *intake, struct err *err)
{
    bool has_group = intake->has_group;

    intake->has_group = false;
    intake->n_in_group = 0;
    return has_group ? report_database_commit(intake->parts.database, err) : 0;
}

bool report_intake_is_due(const struct report_intake *intake)
{
    const struct clock *clock = intake->parts.clock;

    return intake->has_group &&
           (intake->n_in_group >= REPORT_GROUP_MAX ||
            clock->monotonic_ms(clock) - intake->group_began_ms >= REPORT_GROUP_AGE_MS);
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
