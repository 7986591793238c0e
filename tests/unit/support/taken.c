/* SPDX-License-Identifier: MIT */
#include "support/taken.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "reports/report_magic.h"

static void print_field(FILE *out, const char *name, struct slice value)
{
    if (value.len > 0)
        fprintf(out, "%s%.*s", name, SLICE_ARG(value));
}

static int taken_take(void *context, const struct report_part *part, struct err *err)
{
    static const char *const magics[] = {
        [REPORT_MAGIC_NONE] = "unknown",
        [REPORT_MAGIC_JSON] = "json",
        [REPORT_MAGIC_GZIP] = "gzip",
        [REPORT_MAGIC_ZIP] = "zip",
    };
    struct taken *taken = context;
    FILE *out = taken->out;

    if (taken->n_room-- == 0)
        return err_set(err, ERR_LIMIT, "the database is full");
    fprintf(out, "%s", part->certainty == REPORT_PART_DECLARED ? "declared" : "possible");
    print_field(out, " ", part->content_type);
    if (part->file_name.len > 0)
        fprintf(out, " \"%.*s\"", SLICE_ARG(part->file_name));
    print_field(out, " about ", part->domain_hint);
    print_field(out, " by ", part->submitter_hint);
    print_field(out, " from ", part->origin.from_domain);
    fprintf(out, "%s: %s, %zu bytes", part->origin.is_dkim_verified ? " verified" : "",
            magics[report_magic_of(part->bytes)], part->bytes.len);
    if (part->fault)
        fprintf(out, "; %s", part->fault);
    fputc('\n', out);
    return 0;
}

static void taken_complain(void *context, const char *path, const struct err *why)
{
    struct taken *taken = context;

    fprintf(taken->out, "complaint: %s %s\n", path, why->msg);
}

void taken_open(struct taken *taken)
{
    *taken = (struct taken){
        .taker = {.take = taken_take, .complain = taken_complain, .context = taken},
        .n_room = SIZE_MAX,
    };
    taken->out = open_memstream(&taken->text, &taken->len);
}

const char *taken_text(struct taken *taken)
{
    fflush(taken->out);
    return taken->text;
}

void taken_close(struct taken *taken)
{
    fclose(taken->out);
    free(taken->text);
}
