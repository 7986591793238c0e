/* SPDX-License-Identifier: MIT */
/*
 * Bodies for PATCH /api/v1/servers/localhost/zones/<zone>. of PowerDNS: a JSON object for each
 * zone.
 *
 * Its traps: names and targets end with a dot; a TXT stands in its quotes within the JSON text; a
 * CNAME beside other data is refused and nothing is changed then. Every change is a REPLACE of one
 * set, and a withheld record is left out: what is not named here stays as it is.
 * Source: doc.powerdns.com/authoritative/http-api/zone.html.
 */
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, "{\"name\": \"%s.\", \"rrsets\": [", zone);
}

static void end_zone(struct dns_output *output, const char *zone)
{
    (void)zone;
    fputs(output->n_sets > 0 ? "\n]}\n" : "]}\n", output->out);
}

static void begin_set(struct dns_output *output, const struct dns_record *first)
{
    if (first->withheld)
        return;
    fprintf(output->out,
            "%s\n {\"name\": \"%s.\", \"type\": \"%s\", \"ttl\": %u, \"changetype\": \"REPLACE\", "
            "\"records\": [",
            output->n_sets > 0 ? "," : "", first->name, record_type_name(first->type),
            first->ttl_s);
}

static void print(struct dns_output *output, const struct dns_record *record)
{
    char *content;

    if (record->withheld)
        return;
    content = dns_rdata_text(record);
    fputs(output->n_in_set > 0 ? ", {\"content\": " : "{\"content\": ", output->out);
    json_print_text(content, output->out);
    fputs(", \"disabled\": false}", output->out);
    free(content);
}

static void end_set(struct dns_output *output, const struct dns_record *last)
{
    if (!last->withheld)
        fputs("]}", output->out);
}

const struct dns_format dns_format_powerdns = {
    .name = "powerdns",
    .file_suffix = ".powerdns.json",
    .what = "bodies for PATCH requests to PowerDNS's API",
    .begin_zone = begin_zone,
    .begin_set = begin_set,
    .print = print,
    .end_set = end_set,
    .end_zone = end_zone,
};
