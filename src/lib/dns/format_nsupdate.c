/* SPDX-License-Identifier: MIT */
/*
 * Input of nsupdate(1): dynamic updates (RFC 2136) that replace what stands at each name.
 *
 * Its traps: without quotes a TXT comes out in pieces at its spaces; a server drops a CNAME that is
 * to be added beside other data without an error, and other data beside a CNAME (RFC 2136 3.4.2.2),
 * so what is in the way goes first; an update is one message of at most 64 KiB.
 */
#include <string.h>

#include "lib/base/slice.h"
#include "lib/dns/format_row.h"

enum {
    SEND_MAX = 50, /* records of a message: within 64 KiB with names of 253 octets, values of 500 */
};

/*
 * The types deleted at a name before its first record of each type is added; an empty text is every
 * type. A deletes AAAA too, and AAAA A: the addresses of the policy host are replaced together.
 */
static const char *const replaced[RECORD_TYPE_COUNT][4] = {
    [RECORD_TXT] = {" CNAME", " TXT"},
    [RECORD_CNAME] = {""},
    [RECORD_A] = {" CNAME", " A", " AAAA"},
    [RECORD_AAAA] = {" CNAME", " A", " AAAA"},
};

static void nsupdate_begin_zone(struct dns_output *output, const char *zone)
{
    fprintf(output->out, "zone %s.\n", zone);
}

static void nsupdate_end_zone(struct dns_output *output, const char *zone)
{
    (void)zone;
    fputs("send\n", output->out);
}

static void nsupdate_print_record(const struct dns_record *record, FILE *out)
{
    fprintf(out, "%s. %u IN %s ", record->name, record->ttl_s, record_type_name(record->type));
    dns_print_rdata(record, out);
}

static void nsupdate_print_deletes(const struct dns_record *record, FILE *out)
{
    for (const char *const *type = replaced[record->type]; *type; type++)
        fprintf(out, "update delete %s.%s\n", record->name, *type);
}

/* A withheld record is neither added nor deleted: what is published already stays. */
static void nsupdate_print_withheld(const struct dns_record *record, FILE *out)
{
    fputs("; withheld: ", out);
    nsupdate_print_record(record, out);
    fputs(": ", out);
    dns_print_visible(slice_of(record->withheld), out);
    fputc('\n', out);
}

/* With its value: what somebody else has put there since stays. */
static void nsupdate_print_left(const struct dns_record *record, FILE *out)
{
    fputs("; ", out);
    dns_print_visible(slice_of(record->left), out);
    fprintf(out, "\n%supdate delete %s. %s ",
            dns_record_is_surely_ours(record) ? "" : "; if it is yours: ", record->name,
            record_type_name(record->type));
    dns_print_rdata(record, out);
    fputc('\n', out);
}

static void nsupdate_print(struct dns_output *output, const struct dns_record *record)
{
    const struct dns_record *previous = output->previous;

    if (previous && output->n_records % SEND_MAX == 0) {
        nsupdate_end_zone(output, record->zone);
        nsupdate_begin_zone(output, record->zone);
    }
    if (record->withheld || record->left) {
        if (record->left)
            nsupdate_print_left(record, output->out);
        else
            nsupdate_print_withheld(record, output->out);
        return;
    }
    /* Once for each name: the second of several addresses must not delete the first. */
    if (!previous || strcmp(previous->name, record->name) != 0)
        nsupdate_print_deletes(record, output->out);
    fputs("update add ", output->out);
    nsupdate_print_record(record, output->out);
    fputc('\n', output->out);
}

const struct dns_format dns_format_nsupdate = {
    .name = "nsupdate",
    .file_suffix = ".nsupdate",
    .has_deletions = true,
    .what = "input of nsupdate (RFC 2136)",
    .begin_zone = nsupdate_begin_zone,
    .print = nsupdate_print,
    .end_zone = nsupdate_end_zone,
};
