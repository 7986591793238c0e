/* SPDX-License-Identifier: MIT */
#include "check/check_delegation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/findings.h"
#include "support/fixture.h"
#include "support/judged.h"

static void test_delegation(void **state)
{
    static const struct {
        enum dns_status record_status, host_status;
        const char *record, *host;
        const char *want;
    } rows[] = {
        {DNS_OK, DNS_OK, "_mta-sts.a.example", "mta-sts.a.example", ""},
        {DNS_OK, DNS_OK, "_mta-sts.b.example", "mta-sts.a.example",
         "txt-delegated-alone -: _mta-sts.a.example is a CNAME to '_mta-sts.b.example', and "
         "mta-sts.a.example does not lead to another domain\n"},
        {DNS_OK, DNS_OK, "xa.example", "www.a.example",
         "txt-delegated-alone -: _mta-sts.a.example is a CNAME to 'xa.example', and "
         "mta-sts.a.example does not lead to another domain\n"},
        {DNS_OK, DNS_OK, "_mta-sts.b.example", "mta-sts.b.example", ""},
        {DNS_OK, DNS_OK, "_mta-sts.b.example", "policy.c.example", ""},
        {DNS_OK, DNS_OK, "_mta-sts.a.example", "policy.b.example", ""},
        {DNS_OK, DNS_OK, "records.a.example", "mta-sts.a.example", ""},
        {DNS_NODATA, DNS_OK, "_mta-sts.b.example", "mta-sts.a.example", ""},
        {DNS_OK, DNS_NXDOMAIN, "_mta-sts.b.example", "", ""},
        {DNS_FAILED, DNS_OK, "", "mta-sts.a.example", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct dns_answer record = {.status = rows[i].record_status,
                                          .canonical = rows[i].record},
                                host = {.status = rows[i].host_status, .canonical = rows[i].host};
        struct findings *findings = findings_new();
        char text[JUDGED_TEXT_SIZE];

        check_delegation_judge("a.example", &record, &host, findings);
        if (!fixture_equal("findings", rows[i].want, judged_text(findings, text)))
            fail_msg("row %zu", i);
        findings_free(findings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_delegation)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
