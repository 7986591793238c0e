/* SPDX-License-Identifier: MIT */
/*
 * Bodies for PATCH /api/v1/servers/localhost/zones/<zone>. of PowerDNS: a JSON object for each
 * zone.
 *
 * Its traps: names and targets end with a dot; a TXT stands in its quotes within the JSON text; a
 * CNAME beside other data is refused and nothing is changed then. A change is a REPLACE of one set,
 * and a withheld record is left out: what is not named here stays as it is. A DELETE is of a set
 * whatever its values are, so there are some only in the delegation zone: in the zone of a domain
 * that has left, somebody else may have published others since.
 * Source: doc.powerdns.com/authoritative/http-api/zone.html.
 */
#include <stdlib.h>

#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"
#include "lib/dns/name.h"

/* As PowerDNS has names, with a final dot. */
static void powerdns_name_member(struct json_writer *json, const char *name)
{
    char absolute[DNS_NAME_MAX + sizeof(".")];

    snprintf(absolute, sizeof(absolute), "%s.", name);
    json_text_member(json, "name", absolute);
}

static void powerdns_begin_zone(struct dns_output *output, const char *zone)
{
    json_begin_object(&output->json, JSON_ON_ONE_LINE);
    powerdns_name_member(&output->json, zone);
    json_key(&output->json, "rrsets");
    json_begin_array(&output->json, JSON_ON_LINES);
}

static void powerdns_end_zone(struct dns_output *output, const char *zone)
{
    (void)zone;
    json_end_array(&output->json);
    json_end_object(&output->json);
    fputc('\n', output->out);
}

static void powerdns_begin_change(struct json_writer *json, const struct dns_record *record)
{
    json_begin_object(json, JSON_ON_ONE_LINE);
    powerdns_name_member(json, record->name);
    json_text_member(json, "type", record_type_name(record->type));
}

static void powerdns_delete(struct json_writer *json, const struct dns_record *record)
{
    powerdns_begin_change(json, record);
    json_text_member(json, "changetype", "DELETE");
    json_end_object(json);
}

static void powerdns_begin_set(struct dns_output *output, const struct dns_record *first)
{
    struct json_writer *json = &output->json;

    if (first->withheld || first->left)
        return;
    powerdns_begin_change(json, first);
    json_number_member(json, "ttl", first->ttl_s);
    json_text_member(json, "changetype", "REPLACE");
    json_key(json, "records");
    json_begin_array(json, JSON_ON_ONE_LINE);
}

static void powerdns_record(struct dns_output *output, const struct dns_record *record)
{
    struct json_writer *json = &output->json;
    char *content;

    if (record->left && dns_record_is_delegated(record))
        powerdns_delete(json, record);
    if (record->withheld || record->left)
        return;
    content = dns_rdata_text(record);
    json_begin_object(json, JSON_ON_ONE_LINE);
    json_text_member(json, "content", content);
    json_key(json, "disabled");
    json_bool(json, false);
    json_end_object(json);
    free(content);
}

static void powerdns_end_set(struct dns_output *output, const struct dns_record *last)
{
    if (last->withheld || last->left)
        return;
    json_end_array(&output->json);
    json_end_object(&output->json);
}

const struct dns_format dns_format_powerdns = {
    .name = "powerdns",
    .file_suffix = ".powerdns.json",
    .hides_withheld = true,
    .has_deletions = true, /* else an empty body, so that an old one is not sent again */
    .what = "bodies for PATCH requests to PowerDNS's API",
    .begin_zone = powerdns_begin_zone,
    .begin_set = powerdns_begin_set,
    .print = powerdns_record,
    .end_set = powerdns_end_set,
    .end_zone = powerdns_end_zone,
};
