/* SPDX-License-Identifier: MIT */
/*
 * JavaScript for DNSControl 4: a D_EXTEND() for each zone, which adds to what its D() has.
 *
 * Its traps: DNSControl deletes what is in no D(), so a withheld record is printed as IGNORE(),
 * which leaves it alone; D_EXTEND() fails without a D() before it; a target without its final dot
 * is relative to the zone; TTL(0) means the default TTL. DNSControl quotes and splits a TXT itself.
 * The records are in an array because a zone may have more of them than a call may have arguments.
 * Source: docs.dnscontrol.org, language-reference: D, D_EXTEND, IGNORE, TXT.
 */
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void dnscontrol_begin(struct dns_output *output)
{
    fputs("// require() this file after the D() of every zone in it: D_EXTEND() adds to them.\n"
          "// DNSControl deletes what it does not find; IGNORE() leaves alone what is withheld.\n",
          output->out);
}

static void dnscontrol_begin_zone(struct dns_output *output, const char *zone)
{
    if (!output->has_live) {
        fputs("\n// zone ", output->out);
        dns_print_visible(slice_of(zone), output->out);
        fputs(": no domain is left in it\n", output->out);
        return;
    }
    fputs("\nD_EXTEND(", output->out);
    json_print_text(zone, output->out);
    fputs(", [\n", output->out);
}

static void dnscontrol_end_zone(struct dns_output *output, const char *zone)
{
    (void)zone;
    if (output->has_live)
        fputs("]);\n", output->out);
}

/* DNSControl then neither adds, changes nor deletes a TXT or a CNAME at the name. */
static void dnscontrol_print_withheld(const struct dns_record *record, FILE *out)
{
    fputs("  // withheld: ", out);
    dns_print_visible(slice_of(record->withheld), out);
    fputs("\n  IGNORE(", out);
    json_print_slice(dns_relative_name(record, "@"), out);
    fputs(", \"TXT,CNAME\"),\n", out);
}

/* What is in no D(), DNSControl deletes: nothing but a comment is needed. */
static void dnscontrol_print_left(const struct dns_record *record, FILE *out)
{
    fprintf(out, "  // deleted, as it is not here: %s %s: ", record->name,
            record_type_name(record->type));
    dns_print_visible(slice_of(record->left), out);
    fputc('\n', out);
}

static void dnscontrol_print(struct dns_output *output, const struct dns_record *record)
{
    FILE *out = output->out;

    if (record->withheld || record->left) {
        if (record->left)
            dnscontrol_print_left(record, out);
        else
            dnscontrol_print_withheld(record, out);
        return;
    }
    fprintf(out, "  %s(", record_type_name(record->type));
    json_print_slice(dns_relative_name(record, "@"), out);
    fputs(", ", out);
    if (record->type == RECORD_CNAME)
        fprintf(out, "\"%s.\"", record->value);
    else
        json_print_text(record->value, out);
    fprintf(out, ", TTL(%u)),\n", record->ttl_s);
}

const struct dns_format dns_format_dnscontrol = {
    .name = "dnscontrol",
    .file_suffix = ".js",
    .has_deletions = true,
    .what = "D_EXTEND() calls for DNSControl",
    .begin = dnscontrol_begin,
    .begin_zone = dnscontrol_begin_zone,
    .print = dnscontrol_print,
    .end_zone = dnscontrol_end_zone,
};
