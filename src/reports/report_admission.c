/* SPDX-License-Identifier: MIT */
#include "reports/report_admission.h"

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

struct report_admission {
    struct report_admission_parts parts;
    struct arena *arena; /* of one report */
    struct report_admission_counts counts;
    bool has_group;
    size_t n_in_group;
    uint64_t group_began_ms;
};

struct report_admission *report_admission_new(const struct report_admission_parts *parts)
{
    struct report_admission *admission = memory_alloc(sizeof(*admission));

    *admission = (struct report_admission){.parts = *parts, .arena = arena_new(0)};
    return admission;
}

static void admission_roll_back(struct report_admission *admission)
{
    if (admission->has_group)
        report_database_roll_back(admission->parts.database);
    admission->has_group = false;
    admission->n_in_group = 0;
}

void report_admission_free(struct report_admission *admission)
{
    if (!admission)
        return;
    admission_roll_back(admission);
    arena_free(admission->arena);
    free(admission);
}

static void admission_count(struct report_admission_counts *counts, enum report_outcome outcome)
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
static struct report_meta meta_with_proof(struct report_admission *admission,
                                          const struct tls_report *report,
                                          const struct report_meta *meta)
{
    struct report_meta proven = *meta;
    char domain[DNS_NAME_MAX + 1];
    struct err err;

    if (!admission->parts.proofs || meta->proof != REPORT_PROOF_NONE || meta->peer.len == 0 ||
        dns_name_parse(slice_of(report_submitter_of(report)), domain, NULL, &err) != 0 ||
        !peer_proofs_hold(admission->parts.proofs, arena_copy(admission->arena, meta->peer),
                          domain))
        return proven;
    proven.proof = REPORT_PROOF_PEER;
    proven.proven_domain = slice_of(arena_copy(admission->arena, slice_of(domain)));
    return proven;
}

/* A part that is read, but not stored. */
struct admission_reading {
    const struct tls_report *report; /* NULL: it is none */
    struct slice json;
    struct report_meta meta;
    struct err why;
};

static void admission_read(struct report_admission *admission, const struct report_part *part,
                           const struct report_meta *meta, struct admission_reading *ret_reading)
{
    *ret_reading = (struct admission_reading){.meta = *meta};
    if (part->fault)
        err_set(&ret_reading->why, ERR_SYNTAX, "%s", part->fault);
    else if (inflate_body(part->bytes, admission->arena, &ret_reading->json, &ret_reading->why) ==
                 0 &&
             report_parse(ret_reading->json, part->domain_hint, admission->arena,
                          &ret_reading->report, &ret_reading->why) == 0)
        ret_reading->meta = meta_with_proof(admission, ret_reading->report, meta);
}

static int admission_store(struct report_admission *admission, const struct report_part *part,
                           const struct admission_reading *reading, struct err *err)
{
    struct slice evidence = slice_range(part->bytes, 0, REPORT_EVIDENCE_MAX);
    enum report_outcome outcome;

    if (reading->report) {
        if (report_store_add(admission->parts.database, reading->report, reading->json,
                             &reading->meta, report_scope_has, admission->parts.scope, &outcome,
                             err) != 0)
            return -1;
        admission_count(&admission->counts, outcome);
        return 0;
    }
    if (report_store_add_unreadable(admission->parts.database, evidence, reading->why.msg,
                                    &reading->meta, &outcome, err) != 0)
        return -1;
    admission->counts.n_unreadable++;
    return 0;
}

static int admission_begin(struct report_admission *admission, struct err *err)
{
    if (admission->has_group)
        return 0;
    if (report_database_begin(admission->parts.database, err) != 0)
        return -1;
    admission->has_group = true;
    admission->group_began_ms = admission->parts.clock->monotonic_ms(admission->parts.clock);
    return 0;
}

int report_admission_add(struct report_admission *admission, const struct report_part *part,
                         const struct report_meta *meta, struct err *err)
{
    struct admission_reading reading;

    arena_reset(admission->arena);
    admission_read(admission, part, meta, &reading);
    if (!reading.report && part->certainty == REPORT_PART_POSSIBLE)
        return 0;
    /* Only now: DNS may take seconds to answer, and the group keeps others from writing. */
    if (admission_begin(admission, err) != 0)
        return -1;
    if (admission_store(admission, part, &reading, err) != 0) {
        admission_roll_back(admission);
        return -1;
    }
    admission->n_in_group++;
    return 0;
}

int report_admission_commit(struct report_admission *admission, struct err *err)
{
    bool has_group = admission->has_group;

    admission->has_group = false;
    admission->n_in_group = 0;
    return has_group ? report_database_commit(admission->parts.database, err) : 0;
}

bool report_admission_is_due(const struct report_admission *admission)
{
    const struct clock *clock = admission->parts.clock;

    return admission->has_group &&
           (admission->n_in_group >= REPORT_GROUP_MAX ||
            clock->monotonic_ms(clock) - admission->group_began_ms >= REPORT_GROUP_AGE_MS);
}

struct report_admission_counts report_admission_counts(const struct report_admission *admission)
{
    return admission->counts;
}

void report_admission_counts_print(const struct report_admission_counts *counts, FILE *out)
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
