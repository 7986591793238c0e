/* SPDX-License-Identifier: MIT */
#include "lib/dns/terraform.h"

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

static void terraform_print_char(char byte, char next, FILE *out)
{
    if (byte < 0x20 || byte > 0x7e) {
        fprintf(out, "\\u%04x", (unsigned char)byte);
        return;
    }
    if (byte == '"' || byte == '\\')
        fputc('\\', out);
    if ((byte == '$' || byte == '%') && next == '{')
        fputc(byte, out);
    fputc(byte, out);
}

void terraform_print_text(struct slice text, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < text.len; i++)
        terraform_print_char(text.ptr[i], i + 1 < text.len ? text.ptr[i + 1] : '\0', out);
    fputc('"', out);
}

/* No label has a "_" but the fixed ones at the front, and a part has none: so no two are alike. */
static void terraform_print_identifier(const char *prefix, const char *name, const char *part,
                                       FILE *out)
{
    fputs(prefix, out);
    for (; *name != '\0'; name++)
        fputc(*name == '.' ? '_' : *name, out);
    if (!part)
        return;
    fputc('_', out);
    for (; *part != '\0'; part++)
        fputc(*part == '.' || *part == ':' ? '-' : *part, out);
}

static void terraform_print_zone_name(const char *zone, FILE *out)
{
    terraform_print_identifier("mta-sts-zone_", zone, NULL, out);
}

void terraform_begin_zone(const struct terraform_provider *provider, const char *zone, FILE *out)
{
    fprintf(out, "\ndata \"%s\" \"", provider->data_source);
    terraform_print_zone_name(zone, out);
    fputs("\" {\n", out);
}

void terraform_begin_resource(const struct terraform_provider *provider,
                              const struct dns_record *record, const char *part, FILE *out)
{
    fputc('\n', out);
    if (record->withheld) {
        fputs("# withheld: ", out);
        dns_print_visible(slice_of(record->withheld), out);
        fputc('\n', out);
    }
    fprintf(out, "resource \"%s\" \"", provider->resource);
    terraform_print_identifier("", record->name, part, out);
    fputs("\" {\n", out);
    if (record->withheld)
        fputs("  count   = 0\n", out);
    fprintf(out, "  zone_id = data.%s.", provider->data_source);
    terraform_print_zone_name(record->zone, out);
    fputs(".zone_id\n  name    = ", out);
    terraform_print_text(slice_of(record->name), out);
    fprintf(out, "\n  type    = \"%s\"\n", record_type_name(record->type));
}

void terraform_end_resource(const struct dns_record *record, FILE *out)
{
    if (record->withheld)
        fputs("\n  lifecycle {\n    prevent_destroy = true\n  }\n", out);
    fputs("}\n", out);
}
