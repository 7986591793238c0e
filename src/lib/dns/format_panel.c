/* SPDX-License-Identifier: MIT */
/*
 * What a person pastes into a provider's web form: a heading for each zone, a row for each record.
 *
 * Its traps: a form itself adds the zone to the name, quotes to a TXT and the final dot to a
 * target, so all three are left out. Pasted quotes become part of the TXT.
 */
#include <string.h>

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

enum {
    NAME_WIDTH_MIN = 32,
    NAME_WIDTH_MAX = 80,
};

/* Of the names relative to the zone. */
static int panel_name_width(const struct dns_output *output, const char *zone)
{
    int width = (int)output->name_len - (int)strlen(zone) - 1;

    if (width < NAME_WIDTH_MIN)
        return NAME_WIDTH_MIN;
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void panel_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, "%sZone %s\n\n", output->n_records > 0 ? "\n" : "", zone);
    fprintf(output->out, "%-*s %-6s %6s  %s\n", panel_name_width(output, zone), "Name", "Type",
            "TTL", "Value");
}

static void panel_print(struct dns_output *output, const struct dns_record *record)
{
    struct slice name = dns_relative_name(record, "@"),
                 value = slice_of(record->value ? record->value : "");
    FILE *out = output->out;

    fprintf(out, "%-*.*s %-6s %6u  ", panel_name_width(output, record->zone), SLICE_ARG(name),
            record_type_name(record->type), record->ttl_s);
    if (record->withheld) {
        /* The value is left out: nobody can copy and publish it by mistake. */
        fputs("(withheld, publish nothing yet: ", out);
        dns_print_visible(slice_of(record->withheld), out);
        fputs(")\n", out);
        return;
    }
    dns_print_visible(value, out);
    if (record->left) {
        fprintf(out, "%s(delete this record%s: ", record->value ? "  " : "",
                dns_record_is_surely_ours(record) ? "" : ", if it is yours");
        dns_print_visible(slice_of(record->left), out);
        fputc(')', out);
    }
    fputc('\n', out);
    if (record->type == RECORD_TXT && value.len > DNS_STRING_MAX)
        fprintf(out,
                "  note: the value above has more than %d octets; most forms split it, the others "
                "want it as quoted pieces\n",
                DNS_STRING_MAX);
}

const struct dns_format dns_format_panel = {
    .name = "panel",
    .file_suffix = ".txt",
    .has_deletions = true,
    .what = "a table to paste from into a web form",
    .begin_zone = panel_begin_zone,
    .print = panel_print,
};
