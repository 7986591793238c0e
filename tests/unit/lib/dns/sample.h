/* SPDX-License-Identifier: MIT */
/**
 * The records that every format prints in its test, and a way to catch what it prints.
 *
 * Two zones; a withheld record whose reason would break out of a comment; an address list.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "lib/dns/format.h"
#include "lib/dns/record.h"

static const struct dns_record sample[] = {
    {"example.com", "example.com", "_mta-sts.example.com", RECORD_CNAME, SIDE_CUSTOMER, 300,
     "_mta-sts.example.com.sts.example", "standard", NULL, NULL, NULL},
    {"example.com", "example.com", "mta-sts.example.com", RECORD_CNAME, SIDE_CUSTOMER, 3600,
     "policy.example", "standard", NULL, NULL, NULL},
    {"a.example.com", "example.com", "_mta-sts.a.example.com", RECORD_TXT, SIDE_CUSTOMER, 300,
     "v=STSv1; id=0a;", NULL, "0a", "no certificate\nx IN A 192.0.2.9", NULL},
    {"a.example.com", "example.com", "mta-sts.a.example.com", RECORD_A, SIDE_CUSTOMER, 0,
     "192.0.2.1", NULL, NULL, NULL, NULL},
    {"a.example.com", "example.com", "mta-sts.a.example.com", RECORD_A, SIDE_CUSTOMER, 0,
     "192.0.2.2", NULL, NULL, NULL, NULL},
    {"a.example.com", "example.com", "mta-sts.a.example.com", RECORD_AAAA, SIDE_CUSTOMER, 0,
     "2001:db8::1", NULL, NULL, NULL, NULL},
    {"example.com", "sts.example", "_mta-sts.example.com.sts.example", RECORD_TXT, SIDE_PROVIDER,
     2147483647, "v=STSv1; id=1b;", "standard", "1b", NULL, NULL},
    {"example.com", "sts.example", "_smtp._tls.example.com.sts.example", RECORD_TXT, SIDE_PROVIDER,
     3600, "v=TLSRPTv1; rua=mailto:\"\\\"@example.com", "standard", NULL, NULL, NULL},
};

/** What `format` prints of these records; for free(). Inlined, gcc 12 takes the text for a local.
 */
__attribute__((noinline, unused)) static char *
printed(const struct dns_format *format, const struct dns_record *records, size_t n_records)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    dns_format_print(format, records, n_records, out);
    fclose(out);
    return text;
}
