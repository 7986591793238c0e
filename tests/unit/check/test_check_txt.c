/* SPDX-License-Identifier: MIT */
#include "check/check_txt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "lib/base/arena.h"
#include "support/fixture.h"
#include "support/judged.h"

#define GOOD "v=STSv1; id=1;"

static const struct {
    const char *texts[4];
    const char *want; /* the findings */
    const char *id;   /* NULL: senders see no record */
} rows[] = {
    {{GOOD}, "", "1"},
    {{"v=STSv1 ; id=1;"}, "txt-loose-version -: there is a space before the first ';'\n", "1"},
    {{GOOD, "x"}, "txt-others -: 1 other TXT record stands beside the MTA-STS record\n", "1"},
    {{GOOD, "x", "y"}, "txt-others -: 2 other TXT records stand beside the MTA-STS record\n", "1"},
    {{"x"}, "txt-missing -: 1 TXT record, none of which is an MTA-STS record\n", NULL},
    {{GOOD, GOOD}, "txt-several -: there are 2 MTA-STS records, not one\n", NULL},
    {{GOOD, "v=STSv2; id=2;"},
     "txt-others -: 1 other TXT record stands beside the MTA-STS record\n",
     "1"},
    {{"\"" GOOD "\""},
     "txt-quotes -: the record begins with a quote: '\"v=STSv1; id=1;\"'\n",
     NULL},
    {{"v=STSv1; id=a-b;"},
     "txt-syntax -: the record 'v=STSv1; id=a-b;': id 'a-b' is not 1 to 32 letters and digits\n",
     NULL},
    {{"v=STSv1; id=\x1b[2J;"},
     "txt-syntax -: the record 'v=STSv1; id=\\x1b[2J;': '\\x1b' is not printable ASCII\n",
     NULL},
};

static void judge(const struct txt_facts *facts, const char *want, const char *id)
{
    struct arena *arena = arena_new(0);
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];
    struct sts_record record;
    bool is_usable = check_txt_judge(facts, arena, findings, &record);

    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    assert_int_equal(is_usable, id != NULL);
    if (id)
        assert_string_equal(record.id, id);
    findings_free(findings);
    arena_free(arena);
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct judged_answer answer;
        struct txt_facts facts = {
            .domain = "a.example",
            .record = judged_records(&answer, DNS_TYPE_TXT, rows[i].texts),
        };

        judge(&facts, rows[i].want, rows[i].id);
    }
}

static void test_answers_without_records(void **state)
{
    static const struct {
        enum dns_status status;
        const char *canonical, *want;
    } cases[] = {
        {DNS_NODATA, "_mta-sts.a.example",
         "txt-missing -: there is no TXT record at _mta-sts.a.example\n"},
        {DNS_NXDOMAIN, "", "txt-missing -: there is no TXT record at _mta-sts.a.example\n"},
        {DNS_BOGUS, "",
         "txt-bogus -: DNSSEC refuses the answer for _mta-sts.a.example: the reason\n"},
        {DNS_FAILED, "", "txt-failed -: no answer for _mta-sts.a.example: the reason\n"},
        {DNS_NXDOMAIN, "x.b.example",
         "txt-cname-dangling -: _mta-sts.a.example is a CNAME to 'x.b.example', where no TXT "
         "record is\n"},
        {DNS_NXDOMAIN, "_mta-sts.b.example.a.example",
         "txt-cname-doubled -: _mta-sts.a.example is a CNAME to '_mta-sts.b.example.a.example', "
         "where no TXT record is; '_mta-sts.b.example' was likely meant\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct judged_answer answer;
        struct txt_facts facts = {
            .domain = "a.example",
            .record = judged_none(&answer, cases[i].status, cases[i].canonical),
        };

        judge(&facts, cases[i].want, NULL);
    }
}

static void test_accidents(void **state)
{
    const char *const records[] = {GOOD, NULL}, *const spf[] = {"v=spf1 -all", NULL};
    struct judged_answer none, good, other;
    struct txt_facts facts = {.domain = "a.example",
                              .record = judged_none(&none, DNS_NXDOMAIN, ""),
                              .apex = judged_records(&other, DNS_TYPE_TXT, spf)};

    (void)state;
    judge(&facts, "txt-missing -: there is no TXT record at _mta-sts.a.example\n", NULL);
    facts.underscore = judged_records(&good, DNS_TYPE_TXT, records);
    judge(&facts,
          "txt-wrong-name -: the record stands at mta-sts.a.example, without the underscore\n",
          NULL);
    facts.apex = facts.underscore;
    judge(&facts,
          "txt-wrong-name -: the record stands at a.example instead of _mta-sts.a.example\n", NULL);
    facts.doubled = facts.underscore;
    judge(&facts,
          "txt-doubled-name -: the record stands at _mta-sts.a.example.a.example, with the zone "
          "twice\n",
          NULL);
    facts = (struct txt_facts){.domain = "a.example", .record = &good.answer, .is_wildcard = true};
    judge(&facts,
          "txt-wildcard -: _mta-sts.a.example has no record of its own: a wildcard in DNS has TXT "
          "records for every name below a.example\n",
          "1");
    facts.record = judged_none(&none, DNS_NODATA, "www.a.example");
    judge(&facts, "txt-missing -: there is no TXT record at _mta-sts.a.example\n", NULL);
    facts.is_wildcard = false;
    judge(&facts,
          "txt-cname-dangling -: _mta-sts.a.example is a CNAME to 'www.a.example', where no TXT "
          "record is\n",
          NULL);
    facts.record = &good.answer;
    good.answer.ttl_s = 86401;
    judge(&facts, "txt-ttl-long -: the record's TTL is 86401 seconds\n", "1");
    good.answer.ttl_s = 86400;
    judge(&facts, "", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_records),
                                       cmocka_unit_test(test_answers_without_records),
                                       cmocka_unit_test(test_accidents)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
