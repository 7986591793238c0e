/* SPDX-License-Identifier: MIT */
#include "reports/report_import.h"

#include <sysexits.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "reports/report_admission.h"
#include "reports/report_sources.h"
#include "reports/report_spool.h"

static int import_spooled(struct report_admission *admission, const struct spooled_report *spooled,
                          struct err *err)
{
    const struct report_part part = {
        .bytes = spooled->body,
        .content_type = spooled->content_type,
        .certainty = REPORT_PART_DECLARED,
    };

    return report_admission_add(admission, &part, &spooled->meta, err);
}

static int import_end_group(struct report_admission *admission, struct report_spool *spool,
                            struct err *err)
{
    return report_admission_commit(admission, err) == 0 ? report_spool_forget(spool, err) : -1;
}

static int import_whole_spool(struct report_admission *admission, struct report_spool *spool,
                              struct err *err)
{
    struct arena *arena = arena_new(0);
    struct spooled_report spooled;
    int result;

    while ((result = report_spool_next(spool, arena, &spooled, err)) > 0) {
        result = import_spooled(admission, &spooled, err);
        arena_reset(arena);
        if (result == 0 && report_admission_is_due(admission))
            result = import_end_group(admission, spool, err);
        if (result != 0)
            break;
    }
    arena_free(arena);
    return result == 0 ? import_end_group(admission, spool, err) : -1;
}

int report_import_spool(struct report_admission *admission, const char *state_directory,
                        size_t *ret_n_failed, struct err *err)
{
    struct report_spool *spool;
    int result;

    if (report_spool_open(state_directory, &spool, err) != 0)
        return -1;
    result = import_whole_spool(admission, spool, err);
    *ret_n_failed = report_spool_n_failed(spool);
    report_spool_close(spool);
    return result;
}

static int import_part(struct report_import *import, const struct report_part *part,
                       enum report_transport transport, enum report_proof without_dkim,
                       struct err *err)
{
    struct report_meta meta = {
        .received_unix_s = import->now_unix_s,
        .transport = transport,
        .proof = without_dkim,
    };

    if (part->origin.is_dkim_verified) {
        meta.proof = REPORT_PROOF_DKIM;
        meta.proven_domain = part->origin.from_domain;
    }
    return report_admission_add(import->admission, part, &meta, err);
}

static int import_file_part(void *context, const struct report_part *part, struct err *err)
{
    struct report_import *import = context;

    if (import_part(import, part, REPORT_BY_FILE, REPORT_PROOF_FILE, err) != 0)
        return -1;
    return report_admission_is_due(import->admission)
               ? report_admission_commit(import->admission, err)
               : 0;
}

static int import_mail_part(void *context, const struct report_part *part, struct err *err)
{
    return import_part(context, part, REPORT_BY_MAIL, REPORT_PROOF_NONE, err);
}

static void import_complain(void *context, const char *path, const struct err *why)
{
    struct report_import *import = context;

    import->n_complaints++;
    fprintf(stderr, "mta-stsd-reports: %s %s\n", path, why->msg);
}

int report_import_files(struct report_import *import, char *const *paths, size_t n_paths,
                        struct report_counts *counts, struct err *err)
{
    const struct report_taker taker = {
        .take = import_file_part,
        .complain = import_complain,
        .context = import,
    };

    for (size_t i = 0; i < n_paths; i++)
        if (report_sources_read(import->reader, paths[i], &taker, counts, err) != 0)
            return -1;
    return report_admission_commit(import->admission, err);
}

int report_import_mail(struct report_import *import, FILE *in, struct report_counts *counts,
                       struct err *err)
{
    const struct report_taker taker = {
        .take = import_mail_part,
        .complain = import_complain,
        .context = import,
    };
    int status = report_sources_read_mail(import->reader, in, &taker, counts, err);

    if (status == EX_OK && report_admission_commit(import->admission, err) != 0)
        return EX_TEMPFAIL;
    return status;
}
