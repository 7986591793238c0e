/* SPDX-License-Identifier: MIT */
#include "lib/dns/format.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/dns/format_row.h"
#include "lib/dns/name.h"

const struct dns_format *const dns_formats[] = {
    &dns_format_zone,
    &dns_format_panel,
    &dns_format_nsupdate,
    &dns_format_json,
    &dns_format_octodns,
    &dns_format_dnscontrol,
    &dns_format_terraform_route53,
    &dns_format_terraform_cloudflare,
    &dns_format_powerdns,
};
const size_t n_dns_formats = ARRAY_LEN(dns_formats);

const struct dns_format *dns_format_find(struct slice name)
{
    for (size_t i = 0; i < n_dns_formats; i++)
        if (slice_eq_text(name, dns_formats[i]->name))
            return dns_formats[i];
    return NULL;
}

static bool same_set(const struct dns_record *a, const struct dns_record *b)
{
    return strcmp(a->name, b->name) == 0 && a->type == b->type && !a->withheld && !b->withheld &&
           !a->left && !b->left;
}

size_t dns_format_zone_len(const struct dns_record *records, size_t n_records)
{
    size_t n = 1;

    while (n < n_records && strcmp(records[n].zone, records[0].zone) == 0)
        n++;
    return n;
}

static void print_zone_measure(struct dns_output *output, const struct dns_record *const *records,
                               size_t n_records)
{
    output->name_len = 0;
    output->has_live = false;
    for (size_t i = 0; i < n_records; i++) {
        size_t len = strlen(records[i]->name);

        if (len > output->name_len)
            output->name_len = len;
        output->has_live = output->has_live || !records[i]->left;
    }
}

static void print_zone(const struct dns_format *format, struct dns_output *output,
                       const struct dns_record *const *records, size_t n_records)
{
    const char *zone = records[0]->zone;

    output->previous = NULL;
    print_zone_measure(output, records, n_records);
    if (format->begin_zone)
        format->begin_zone(output, zone);
    for (size_t i = 0; i < n_records; i++) {
        bool begins = i == 0 || !same_set(records[i - 1], records[i]);
        bool ends = i + 1 == n_records || !same_set(records[i], records[i + 1]);

        if (begins)
            output->n_in_set = 0;
        if (begins && format->begin_set)
            format->begin_set(output, records[i]);
        format->print(output, records[i]);
        if (ends && format->end_set)
            format->end_set(output, records[i]);
        output->n_in_set++;
        output->n_records++;
        output->previous = records[i];
    }
    if (format->end_zone)
        format->end_zone(output, zone);
}

/* Returns how many records the format prints. */
static size_t dns_format_select(const struct dns_format *format, const struct dns_record *records,
                                size_t n_records, const struct dns_record **selected)
{
    size_t n = 0;

    for (size_t i = 0; i < n_records; i++)
        if (format->has_deletions || !records[i].left)
            selected[n++] = &records[i];
    return n;
}

static size_t zone_len_of(const struct dns_record *const *records, size_t n_records)
{
    size_t n = 1;

    while (n < n_records && strcmp(records[n]->zone, records[0]->zone) == 0)
        n++;
    return n;
}

/* Both point into the same array, whose order decides between records of one zone. */
static int format_compare_zones(const void *left, const void *right)
{
    const struct dns_record *const *a = left, *const *b = right;
    int order = strcmp((*a)->zone, (*b)->zone);

    return order != 0 ? order : (*a > *b) - (*a < *b);
}

void dns_format_group(struct dns_record *records, size_t n_records)
{
    const struct dns_record **order;
    struct dns_record *grouped;

    if (n_records == 0)
        return;
    order = memory_resize(NULL, n_records, sizeof(*order));
    grouped = memory_resize(NULL, n_records, sizeof(*grouped));
    for (size_t i = 0; i < n_records; i++)
        order[i] = &records[i];
    qsort(order, n_records, sizeof(*order), format_compare_zones);
    for (size_t i = 0; i < n_records; i++)
        grouped[i] = *order[i];
    memcpy(records, grouped, n_records * sizeof(*grouped));
    free(order);
    free(grouped);
}

void dns_format_print(const struct dns_format *format, const struct dns_record *records,
                      size_t n_records, FILE *out)
{
    struct dns_output output = {.out = out, .json = {.out = out, .indent = 1}};
    const struct dns_record **order = memory_resize(NULL, n_records + 1, sizeof(*order));

    n_records = dns_format_select(format, records, n_records, order);
    if (format->begin)
        format->begin(&output);
    for (size_t from = 0, n; from < n_records; from += n) {
        n = zone_len_of(order + from, n_records - from);
        if (format->sort)
            format->sort(order + from, n);
        print_zone(format, &output, order + from, n);
    }
    if (format->end)
        format->end(&output);
    free(order);
}

static bool is_printable(char byte)
{
    return byte >= 0x20 && byte <= 0x7e;
}

static void print_string(struct slice string, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < string.len; i++) {
        char byte = string.ptr[i];

        if (!is_printable(byte)) {
            fprintf(out, "\\%03u", (unsigned char)byte);
            continue;
        }
        if (byte == '"' || byte == '\\')
            fputc('\\', out);
        fputc(byte, out);
    }
    fputc('"', out);
}

void dns_print_txt(struct slice text, FILE *out)
{
    size_t at = 0;

    do {
        if (at > 0)
            fputc(' ', out);
        print_string(slice_range(text, at, at + DNS_STRING_MAX), out);
        at += DNS_STRING_MAX;
    } while (at < text.len);
}

void dns_print_rdata(const struct dns_record *record, FILE *out)
{
    if (!record->value)
        return;
    if (record->type == RECORD_TXT)
        dns_print_txt(slice_of(record->value), out);
    else
        fprintf(out, "%s%s", record->value, record->type == RECORD_CNAME ? "." : "");
}

char *dns_rdata_text(const struct dns_record *record)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort();
    dns_print_rdata(record, out);
    fclose(out);
    return text;
}

struct slice dns_relative_name(const struct dns_record *record, const char *apex)
{
    struct slice name = slice_of(record->name), zone = slice_of(record->zone);

    if (slice_eq(name, zone))
        return slice_of(apex);
    if (!dns_name_is_within(name, zone))
        return name;
    return slice_range(name, 0, name.len - zone.len - strlen("."));
}

void dns_print_visible(struct slice text, FILE *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_printable(text.ptr[i]))
            fputc(text.ptr[i], out);
        else
            fprintf(out, "\\x%02x", (unsigned char)text.ptr[i]);
    }
}
