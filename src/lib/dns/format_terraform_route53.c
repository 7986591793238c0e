/* SPDX-License-Identifier: MIT */
/*
 * Resources aws_route53_record of Terraform's provider hashicorp/aws, one a set.
 *
 * Its traps: the provider puts the outer quotes around a TXT itself, and none of the others: a
 * value of more than 255 octets is written "first\"\"second" (no space), as its documentation has
 * it. A resource keeps its address when its type changes, so that the provider replaces TXT by
 * CNAME in one batch; only an AAAA, which stands beside an A, has one of its own. Source:
 * registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/route53_record.
 */
#include <stdlib.h>

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"
#include "lib/dns/terraform.h"

static const struct terraform_provider provider = {"aws_route53_record", "aws_route53_zone"};

static void route53_begin(struct dns_output *output)
{
    fputs(
        "# A record that exists and is not in Terraform's state is refused: import it, by the ID\n"
        "# <zone id>_<name>_<type>. A withheld one is neither made nor destroyed: a plan that "
        "would\n"
        "# destroy it fails.\n",
        output->out);
}

static void route53_begin_zone(struct dns_output *output, const char *zone)
{
    terraform_begin_zone(&provider, zone, output->out);
    fprintf(output->out, "  name = \"%s.\"\n}\n", zone);
}

static void route53_begin_set(struct dns_output *output, const struct dns_record *first)
{
    terraform_begin_resource(&provider, first, first->type == RECORD_AAAA ? "aaaa" : NULL,
                             output->out);
    fprintf(output->out, "  ttl     = %u\n  records = [", first->ttl_s);
}

/* The strings of a TXT with nothing between their quotes, and without the outermost two. */
static void route53_print_txt(struct slice value, FILE *out)
{
    char *text = NULL;
    size_t len, at = 0;
    FILE *strings = open_memstream(&text, &len);

    if (!strings)
        abort();
    do {
        dns_print_txt(slice_range(value, at, at + DNS_STRING_MAX), strings);
        at += DNS_STRING_MAX;
    } while (at < value.len);
    fclose(strings);
    terraform_print_text(slice_range((struct slice){text, len}, 1, len - 1), out);
    free(text);
}

static void route53_print(struct dns_output *output, const struct dns_record *record)
{
    struct slice value = slice_of(record->value);

    if (output->n_in_set > 0)
        fputs(", ", output->out);
    if (record->type == RECORD_TXT)
        route53_print_txt(value, output->out);
    else
        terraform_print_text(value, output->out);
}

static void route53_end_set(struct dns_output *output, const struct dns_record *last)
{
    fputs("]\n", output->out);
    terraform_end_resource(last, output->out);
}

const struct dns_format dns_format_terraform_route53 = {
    .name = "terraform-route53",
    .file_suffix = ".route53.tf",
    .what = "aws_route53_record resources",
    .begin = route53_begin,
    .begin_zone = route53_begin_zone,
    .begin_set = route53_begin_set,
    .print = route53_print,
    .end_set = route53_end_set,
};
