/* SPDX-License-Identifier: MIT */
/*
 * One JSON array, a record on each line: the source, by jq, of formats that we do not have.
 *
 * Its traps: a withheld record is here too, and one to delete, so a reader must look at "withheld";
 * "value" is not quoted or escaped for DNS, and "strings" holds it in the pieces that some
 * interfaces want.
 */
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void json_format_begin(struct dns_output *output)
{
    json_begin_array(&output->json, JSON_ON_LINES);
}

static void json_format_strings(const struct dns_record *record, struct json_writer *json)
{
    struct slice text = slice_of(record->value ? record->value : "");
    size_t at = 0;

    json_key(json, "strings");
    if (record->type != RECORD_TXT || !record->value) {
        json_text(json, NULL);
        return;
    }
    json_begin_array(json, JSON_ON_ONE_LINE);
    do {
        json_slice(json, slice_range(text, at, at + DNS_STRING_MAX));
        at += DNS_STRING_MAX;
    } while (at < text.len);
    json_end_array(json);
}

void dns_record_print_members(const struct dns_record *record, struct json_writer *json)
{
    json_text_member(json, "domain", record->domain);
    json_text_member(json, "zone", record->zone);
    json_text_member(json, "side", record_side_name(record->side));
    json_text_member(json, "name", record->name);
    json_text_member(json, "type", record_type_name(record->type));
    json_number_member(json, "ttl", record->ttl_s);
    json_text_member(json, "value", record->value);
    json_format_strings(record, json);
    json_text_member(json, "policy", record->policy);
    json_text_member(json, "id", record->id);
}

static void json_format_record(struct dns_output *output, const struct dns_record *record)
{
    struct json_writer *json = &output->json;

    json_begin_object(json, JSON_ON_ONE_LINE);
    dns_record_print_members(record, json);
    /* Who looks at "withheld" alone publishes nothing of a domain that has left. */
    json_text_member(json, "withheld", record->left ? record->left : record->withheld);
    json_key(json, "delete");
    json_bool(json, record->left != NULL);
    json_end_object(json);
}

static void json_format_end(struct dns_output *output)
{
    json_end_array(&output->json);
    fputc('\n', output->out);
}

const struct dns_format dns_format_json = {
    .name = "json",
    .file_suffix = ".json",
    .has_deletions = true,
    .what = "one array of objects, for scripts",
    .begin = json_format_begin,
    .print = json_format_record,
    .end = json_format_end,
};
