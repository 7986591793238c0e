/* SPDX-License-Identifier: MIT */
/*
 * Zone files of octoDNS's YamlProvider, <zone>.yaml each: for a provider of its own that is listed
 * beside the zone's other sources, so that none of their files is touched.
 *
 * Its traps: octoDNS deletes what no source has, so a withheld record is printed as "ignored",
 * which leaves it alone; a ";" in a TXT is written "\;", which
 * escaped_semicolons: true (the default of 1.x, not of 2.0) takes back; without quotes YAML takes
 * an IPv6 address for a number to base 60; names must be in natural order (enforce_order), "mx9"
 * before "mx10". octoDNS quotes and splits a TXT itself. Source: octodns.readthedocs.io/en/latest,
 * "records" and "api/providers" (YamlProvider).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

/* Takes the leading digits off a slice, or everything before its first digit. */
static struct slice octodns_take_run(struct slice *rest, bool is_number)
{
    size_t len = 0;
    struct slice run;

    while (len < rest->len && ascii_is_digit(rest->ptr[len]) == is_number)
        len++;
    run = slice_range(*rest, 0, len);
    *rest = slice_range(*rest, len, rest->len);
    return run;
}

static int octodns_compare_numbers(struct slice a, struct slice b)
{
    while (a.len > 0 && a.ptr[0] == '0')
        a = slice_range(a, 1, a.len);
    while (b.len > 0 && b.ptr[0] == '0')
        b = slice_range(b, 1, b.len);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

/* Compares texts and numbers in turn, beginning with a text, as Python's natsort does. */
static int octodns_compare_naturally(struct slice a, struct slice b)
{
    int order = 0;

    for (bool is_number = false; order == 0 && (a.len > 0 || b.len > 0); is_number = !is_number) {
        struct slice run_a = octodns_take_run(&a, is_number),
                     run_b = octodns_take_run(&b, is_number);

        order = is_number && run_a.len > 0 && run_b.len > 0 ? octodns_compare_numbers(run_a, run_b)
                                                            : slice_compare(run_a, run_b);
    }
    return order;
}

/* Records of the same name keep their order: both pointers lead into one array. */
static int octodns_compare_records(const void *left, const void *right)
{
    const struct dns_record *a = *(const struct dns_record *const *)left;
    const struct dns_record *b = *(const struct dns_record *const *)right;
    int order = octodns_compare_naturally(dns_relative_name(a, ""), dns_relative_name(b, ""));

    if (order == 0)
        order = strcmp(a->name, b->name);
    return order != 0 ? order : (a > b) - (a < b);
}

static void octodns_sort(const struct dns_record **records, size_t n_records)
{
    qsort(records, n_records, sizeof(*records), octodns_compare_records);
}

static void octodns_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out,
            "---\n"
            "# Zone %s, for a YamlProvider of its own that is listed beside the zone's other\n"
            "# sources: octoDNS deletes what no source has. Set escaped_semicolons: true there;\n"
            "# without it octoDNS 2.0 refuses this file.\n",
            zone);
}

/* Prints a scalar in single quotes, between which only the quote is special. */
static void octodns_print_scalar(struct slice text, bool is_txt, FILE *out)
{
    fputc('\'', out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ';' && is_txt)
            fputc('\\', out);
        if (text.ptr[i] == '\'')
            fputc('\'', out);
        fputc(text.ptr[i], out);
    }
    fputc('\'', out);
}

/* What no source has, octoDNS deletes: nothing but a comment is needed. */
static void octodns_print_left(const struct dns_record *record, FILE *out)
{
    fprintf(out, "# deleted, as no source has it: %s %s: ", record->name,
            record_type_name(record->type));
    dns_print_visible(slice_of(record->left), out);
    fputc('\n', out);
}

static void octodns_begin_set(struct dns_output *output, const struct dns_record *first)
{
    struct slice name = dns_relative_name(first, "''");
    FILE *out = output->out;

    if (first->left) {
        octodns_print_left(first, out);
        return;
    }
    if (!output->previous || output->previous->left ||
        strcmp(output->previous->name, first->name) != 0)
        fprintf(out, "%.*s:\n", SLICE_ARG(name));
    if (first->withheld) {
        fputs("# withheld, left as it is: ", out);
        dns_print_visible(slice_of(first->withheld), out);
        fputc('\n', out);
    }
    fputs(first->withheld ? "- octodns:\n    ignored: true\n  " : "- ", out);
    fprintf(out, "ttl: %u\n  type: %s\n", first->ttl_s, record_type_name(first->type));
    if (first->type != RECORD_CNAME)
        fputs("  values:\n", out);
}

static void octodns_print(struct dns_output *output, const struct dns_record *record)
{
    FILE *out = output->out;

    if (record->left)
        return;
    if (record->type == RECORD_CNAME) {
        fprintf(out, "  value: '%s.'\n", record->value);
        return;
    }
    fputs("  - ", out);
    octodns_print_scalar(slice_of(record->value), record->type == RECORD_TXT, out);
    fputc('\n', out);
}

const struct dns_format dns_format_octodns = {
    .name = "octodns",
    .file_suffix = ".yaml",
    .has_deletions = true,
    .what = "a zone file for octoDNS's YamlProvider",
    .begin_zone = octodns_begin_zone,
    .begin_set = octodns_begin_set,
    .print = octodns_print,
    .sort = octodns_sort,
};
