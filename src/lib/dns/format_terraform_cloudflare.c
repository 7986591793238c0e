/* SPDX-License-Identifier: MIT */
/*
 * Resources cloudflare_dns_record of Terraform's provider cloudflare/cloudflare 5, one a record.
 *
 * Its traps: a TXT has its quotes within the content, and strings of at most 255 octets, or else
 * every plan shows a change; a proxied mta-sts would end TLS at Cloudflare with another
 * certificate; a TTL of 1 is "automatic", and those below 60 or above 86400 are refused; names are
 * whole, without a final dot. Each address of a name is a resource of its own, known by the
 * address, so that one comes and goes without the others. Source:
 * registry.terraform.io/providers/cloudflare/cloudflare/latest/docs/resources/dns_record.
 */
#include <stdlib.h>

#include <arpa/inet.h>

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"
#include "lib/dns/terraform.h"

enum {
    TTL_MIN = 60,
    TTL_MAX = 86400,
};

static const struct terraform_provider provider = {"cloudflare_dns_record", "cloudflare_zone"};

static void cloudflare_begin(struct dns_output *output)
{
    fputs(
        "# Import a record that exists already, by the ID <zone id>/<record id>: a second TXT at\n"
        "# _mta-sts turns MTA-STS off. A withheld one is neither made nor destroyed: a plan that\n"
        "# would destroy it fails.\n",
        output->out);
}

static void cloudflare_begin_zone(struct dns_output *output, const char *zone)
{
    terraform_begin_zone(&provider, zone, output->out);
    fprintf(output->out, "  filter = {\n    name = \"%s\"\n  }\n}\n", zone);
}

static void cloudflare_print_ttl(uint32_t ttl_s, FILE *out)
{
    if (ttl_s < TTL_MIN || ttl_s > TTL_MAX)
        fprintf(out, "  ttl     = %d # not %u: Cloudflare takes %d to %d\n",
                ttl_s < TTL_MIN ? TTL_MIN : TTL_MAX, ttl_s, TTL_MIN, TTL_MAX);
    else
        fprintf(out, "  ttl     = %u\n", ttl_s);
}

/* An address as Cloudflare hands it back: in another form it would be a change to every plan. */
static const char *cloudflare_find_address(const struct dns_record *record,
                                           char text[INET6_ADDRSTRLEN])
{
    struct in6_addr address;

    if (record->type != RECORD_AAAA || inet_pton(AF_INET6, record->value, &address) != 1)
        return record->value;
    return inet_ntop(AF_INET6, &address, text, INET6_ADDRSTRLEN);
}

static void cloudflare_print_txt(const struct dns_record *record, FILE *out)
{
    char *content = dns_rdata_text(record);

    terraform_print_text(slice_of(content), out);
    free(content);
}

static void cloudflare_print(struct dns_output *output, const struct dns_record *record)
{
    bool is_address = record->type == RECORD_A || record->type == RECORD_AAAA;
    char text[INET6_ADDRSTRLEN];
    const char *value = cloudflare_find_address(record, text);
    FILE *out = output->out;

    terraform_begin_resource(&provider, record, is_address ? value : NULL, out);
    cloudflare_print_ttl(record->ttl_s, out);
    fputs("  content = ", out);
    if (record->type == RECORD_TXT)
        cloudflare_print_txt(record, out);
    else
        terraform_print_text(slice_of(value), out);
    fputs(record->type == RECORD_TXT ? "\n" : "\n  proxied = false\n", out);
    terraform_end_resource(record, out);
}

const struct dns_format dns_format_terraform_cloudflare = {
    .name = "terraform-cloudflare",
    .file_suffix = ".cloudflare.tf",
    .what = "cloudflare_dns_record resources (provider 5)",
    .begin = cloudflare_begin,
    .begin_zone = cloudflare_begin_zone,
    .print = cloudflare_print,
};
