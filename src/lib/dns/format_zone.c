/* SPDX-License-Identifier: MIT */
/*
 * Lines of a master file (RFC 1035 5.1), as BIND, Knot and NSD load them.
 *
 * Its traps: without quotes ";" begins a comment, and the id is lost without an error; a name
 * without its final dot is relative to the zone, without an error either.
 */
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

enum {
    NAME_WIDTH_MIN = 40,
    NAME_WIDTH_MAX = 90,
};

static void zone_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, "%s; zone %s\n", output->n_records > 0 ? "\n" : "", zone);
}

/* Delegated names are long; one that is longer than a screen is wide moves no other line. */
static int zone_name_width(const struct dns_output *output)
{
    int width = (int)output->name_len + 1;

    if (width < NAME_WIDTH_MIN)
        return NAME_WIDTH_MIN;
    return width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
}

static void zone_print_line(struct dns_output *output, const struct dns_record *record)
{
    /* The padding is printed after the name's final dot, so the text that it pads is empty. */
    int padding = zone_name_width(output) - fprintf(output->out, "%s.", record->name);

    fprintf(output->out, "%*s %5u IN %-5s ", padding > 0 ? padding : 0, "", record->ttl_s,
            record_type_name(record->type));
    dns_print_rdata(record, output->out);
}

static void zone_print(struct dns_output *output, const struct dns_record *record)
{
    const char *why = record->left ? record->left : record->withheld;

    if (record->left)
        fputs(dns_record_is_surely_ours(record) ? "; delete: " : "; delete, if it is yours: ",
              output->out);
    else if (why)
        fputs("; withheld: ", output->out);
    zone_print_line(output, record);
    if (why) {
        fputs(": ", output->out);
        dns_print_visible(slice_of(why), output->out);
    }
    fputc('\n', output->out);
}

const struct dns_format dns_format_zone = {
    .name = "zone",
    .file_suffix = ".zone",
    .has_deletions = true,
    .what = "lines of a zone file (BIND, Knot, NSD)",
    .begin_zone = zone_begin_zone,
    .print = zone_print,
};
