/* SPDX-License-Identifier: MIT */
/**
 * The records that the formats of other tools print into the files of tests/data/dns, and how one
 * is compared with what is printed.
 *
 * tests/clients reads the same files with the tools' own parsers, so these records have what no
 * configuration can hold: quotes, backslashes, the templates of HCL, a TXT at the apex.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/dns/sample.h"
#include "support/fixture.h"

/* 255 octets, and some more. */
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_VALUE \
    "v=TLSRPTv1; rua=mailto:" HUNDRED HUNDRED TEN TEN TEN "@example.com,https://r.example/"

static const struct dns_record golden_records[] = {
    {"example.com", "example.com", "example.com", RECORD_TXT, SIDE_CUSTOMER, 60,
     "a\"'\\ ${a} $${b} %{c} %%{d} $ % #; //", NULL, NULL, NULL, NULL},
    {"b10.example.com", "example.com", "_mta-sts.b10.example.com", RECORD_TXT, SIDE_CUSTOMER, 300,
     "v=STSv1; id=0a;", NULL, "0a", NULL, NULL},
    {"b10.example.com", "example.com", "mta-sts.b10.example.com", RECORD_CNAME, SIDE_CUSTOMER, 3600,
     "policy.example", NULL, NULL, NULL, NULL},
    {"b9.example.com", "example.com", "_mta-sts.b9.example.com", RECORD_TXT, SIDE_CUSTOMER, 300,
     "v=STSv1; id=0a;", NULL, "0a", "no certificate\n_mta-sts: {type: TXT} */ ${a}", NULL},
    {"b9.example.com", "example.com", "mta-sts.b9.example.com", RECORD_A, SIDE_CUSTOMER, 0,
     "192.0.2.1", NULL, NULL, NULL, NULL},
    {"b9.example.com", "example.com", "mta-sts.b9.example.com", RECORD_A, SIDE_CUSTOMER, 0,
     "192.0.2.2", NULL, NULL, NULL, NULL},
    {"b9.example.com", "example.com", "mta-sts.b9.example.com", RECORD_AAAA, SIDE_CUSTOMER, 0,
     "2001:DB8:0::1", NULL, NULL, NULL, NULL},
    {"b9.example.com", "example.com", "mta-sts.b9.example.com", RECORD_AAAA, SIDE_CUSTOMER, 0,
     "1:2:3:4:5:6:7:8", NULL, NULL, NULL, NULL},
    {"b9.example.com", "example.com", "_smtp._tls.b9.example.com", RECORD_TXT, SIDE_CUSTOMER,
     2147483647, LONG_VALUE, NULL, NULL, NULL, NULL},
    {"example.com", "sts.example", "_mta-sts.example.com.sts.example", RECORD_TXT, SIDE_PROVIDER, 1,
     "v=STSv1; id=1b;", "standard", "1b", "no certificate", NULL},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", "_mta-sts.xn--bcher-kva.example",
     RECORD_CNAME, SIDE_CUSTOMER, 300, "_mta-sts.xn--bcher-kva.example.sts.example", "standard",
     NULL, NULL, NULL},
};

/** Fails unless `format` prints the golden records as tests/data/dns/<file> has them. */
static inline void assert_golden(const struct dns_format *format, const char *file)
{
    char path[256], want[16384], *seen = printed(format, golden_records, ARRAY_LEN(golden_records));
    size_t len;
    FILE *golden;

    snprintf(path, sizeof(path), "%s/dns/%s", TEST_DATA, file);
    golden = fopen(path, "r");
    if (!golden)
        fail_msg("%s cannot be read", path);
    len = fread(want, 1, sizeof(want) - 1, golden);
    fclose(golden);
    want[len] = '\0';
    assert_true(fixture_equal(path, want, seen));
    free(seen);
}
