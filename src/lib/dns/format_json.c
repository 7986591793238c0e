/* SPDX-License-Identifier: MIT */
/*
 * One JSON array, a record a line: whatever we have no format for is made from this with jq.
 *
 * Its traps: a withheld record is here too, so a reader must look at "withheld"; "value" is not
 * quoted or escaped for DNS, and "strings" holds it in the pieces that some interfaces want.
 */
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void begin(struct dns_output *output)
{
    fputc('[', output->out);
}

static void print_member(const char *name, const char *text, FILE *out)
{
    fprintf(out, "\"%s\": ", name);
    json_print_text(text, out);
    fputs(", ", out);
}

static void print_strings(const struct dns_record *record, FILE *out)
{
    struct slice text = slice_of(record->value);
    size_t at = 0;

    fputs("\"strings\": ", out);
    if (record->type != RECORD_TXT) {
        fputs("null, ", out);
        return;
    }
    do {
        fputs(at == 0 ? "[" : ", ", out);
        json_print_slice(slice_range(text, at, at + DNS_STRING_MAX), out);
        at += DNS_STRING_MAX;
    } while (at < text.len);
    fputs("], ", out);
}

static void print(struct dns_output *output, const struct dns_record *record)
{
    FILE *out = output->out;

    fputs(output->n_records > 0 ? ",\n {" : "\n {", out);
    print_member("domain", record->domain, out);
    print_member("zone", record->zone, out);
    print_member("side", record_side_name(record->side), out);
    print_member("name", record->name, out);
    print_member("type", record_type_name(record->type), out);
    fprintf(out, "\"ttl\": %u, ", record->ttl_s);
    print_member("value", record->value, out);
    print_strings(record, out);
    print_member("policy", record->policy, out);
    print_member("id", record->id, out);
    fputs("\"withheld\": ", out);
    json_print_text(record->withheld, out);
    fputc('}', out);
}

static void end(struct dns_output *output)
{
    fputs(output->n_records > 0 ? "\n]\n" : "]\n", output->out);
}

const struct dns_format dns_format_json = {
    .name = "json",
    .file_suffix = ".json",
    .what = "one array of objects, for scripts",
    .begin = begin,
    .print = print,
    .end = end,
};
