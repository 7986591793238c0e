/* SPDX-License-Identifier: MIT */
#include "dns/format.h"

#include <string.h>

#include "dns/formats.h"

const struct dns_format *const dns_formats[] = {
    &dns_format_zone,
    &dns_format_panel,
    &dns_format_nsupdate,
    &dns_format_json,
};
const size_t n_dns_formats = ARRAY_LEN(dns_formats);

const struct dns_format *dns_format_find(struct slice name)
{
    for (size_t i = 0; i < n_dns_formats; i++)
        if (slice_eq_text(name, dns_formats[i]->name))
            return dns_formats[i];
    return NULL;
}

static bool same_zone(const struct dns_record *a, const struct dns_record *b)
{
    return strcmp(a->zone, b->zone) == 0;
}

/* The records of one zone. Returns how many. */
static size_t print_zone(const struct dns_format *format, struct dns_output *output,
                         const struct dns_record *records, size_t n_records)
{
    size_t i = 0;

    output->previous = NULL;
    if (format->begin_zone)
        format->begin_zone(output, records[0].zone);
    for (; i < n_records && same_zone(&records[i], &records[0]); i++) {
        format->print(output, &records[i]);
        output->previous = &records[i];
        output->n_records++;
    }
    if (format->end_zone)
        format->end_zone(output, records[0].zone);
    return i;
}

void dns_format_print(const struct dns_format *format, const struct dns_record *records,
                      size_t n_records, FILE *out)
{
    struct dns_output output = {.out = out};

    if (format->begin)
        format->begin(&output);
    for (size_t i = 0; i < n_records;)
        i += print_zone(format, &output, records + i, n_records - i);
    if (format->end)
        format->end(&output);
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
    if (record->type == RECORD_TXT)
        dns_print_txt(slice_of(record->value), out);
    else
        fprintf(out, "%s%s", record->value, record->type == RECORD_CNAME ? "." : "");
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
