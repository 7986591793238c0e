/* SPDX-License-Identifier: MIT */
/*
 * What a person pastes into a provider's web form: a heading for each zone, a row for each record.
 *
 * Its traps: a form itself adds the zone to the name, quotes to a TXT and the final dot to a
 * target, so all three are left out. Pasted quotes become part of the TXT.
 */
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void panel_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, "%sZone %s\n\n", output->n_records > 0 ? "\n" : "", zone);
    fprintf(output->out, "%-32s %-6s %6s  %s\n", "Name", "Type", "TTL", "Value");
}

static void panel_print(struct dns_output *output, const struct dns_record *record)
{
    struct slice name = dns_relative_name(record, "@"), value = slice_of(record->value);
    FILE *out = output->out;

    fprintf(out, "%-32.*s %-6s %6u  ", SLICE_ARG(name), record_type_name(record->type),
            record->ttl_s);
    if (record->withheld) {
        /* The value is left out: nobody can copy and publish it by mistake. */
        fputs("(withheld, publish nothing yet: ", out);
        dns_print_visible(slice_of(record->withheld), out);
        fputs(")\n", out);
        return;
    }
    dns_print_visible(value, out);
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
    .what = "a table to paste from into a web form",
    .begin_zone = panel_begin_zone,
    .print = panel_print,
};
