/* SPDX-License-Identifier: MIT */
#include "check/check_mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "lib/base/arena.h"
#include "lib/policy/policy.h"
#include "support/fixture.h"
#include "support/judged.h"

static const struct {
    const char *records[4], *patterns[4];
    const char *want;
} rows[] = {
    {{"10 mx.a.example"}, {"mx.a.example"}, ""},
    {{"10 MX.a.example"}, {"*.a.example"}, ""},
    {{"20 b.example", "10 a.example"}, {"a.example", "b.example"}, ""},
    {{"20 b.example", "10 a.example"},
     {"a.example"},
     "mx-not-in-policy b.example: no mx of the policy covers this MX host\n"},
    {{"10 mx1.a.example", "10 mx2.a.example"},
     {"old.b.example"},
     "mx-all-elsewhere -: the policy covers no MX host; the MX hosts are 'mx1.a.example', "
     "'mx2.a.example'\n"
     "mx-pattern-unused -: mx 'old.b.example' covers no MX host\n"},
    {{"10 mx.a.example"},
     {"mx.a.exmaple"},
     "mx-all-elsewhere -: the policy covers no MX host; the MX host is 'mx.a.example'\n"
     "mx-near-miss -: mx 'mx.a.exmaple' covers no MX host; was 'mx.a.example' meant?\n"},
    {{"10 mx.a.example"},
     {"mx.a.test"},
     "mx-all-elsewhere -: the policy covers no MX host; the MX host is 'mx.a.example'\n"
     "mx-near-miss -: mx 'mx.a.test' covers no MX host; was 'mx.a.example' meant?\n"},
    {{"10 mx.a.example"},
     {"mx.b.test"},
     "mx-all-elsewhere -: the policy covers no MX host; the MX host is 'mx.a.example'\n"
     "mx-pattern-unused -: mx 'mx.b.test' covers no MX host\n"},
    {{"10 mx.a.example"},
     {"mx.a.example", "mx.a.exmaple"}, /* what is covered was not meant */
     "mx-pattern-unused -: mx 'mx.a.exmaple' covers no MX host\n"},
    {{"10 a.b.c.example"},
     {"*.c.example"},
     "mx-all-elsewhere -: the policy covers no MX host; the MX host is 'a.b.c.example'\n"
     "mx-near-miss -: mx '*.c.example' covers no MX host: '*' stands for one label, and "
     "'a.b.c.example' has more\n"},
    {{"10 192.0.2.1"},
     {"a.example"},
     "mx-address 192.0.2.1: an MX record has an address instead of a host's name\n"
     "mx-all-elsewhere -: the policy covers no MX host; the MX host is '192.0.2.1'\n"
     "mx-pattern-unused -: mx 'a.example' covers no MX host\n"},
    {{"0 ."}, {"a.example"}, "mx-null -: a.example takes no mail: its MX record is '.'\n"},
};

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct findings *findings = findings_new();
        struct policy policy = {.mode = POLICY_ENFORCE};
        struct slice patterns[4];
        struct judged_answer answer;
        struct mx_record *records;
        char text[JUDGED_TEXT_SIZE];
        size_t n;

        while (rows[i].patterns[policy.n_mx]) {
            patterns[policy.n_mx] = slice_of(rows[i].patterns[policy.n_mx]);
            policy.n_mx++;
        }
        policy.mx = patterns;
        n = check_mx_list("a.example", judged_records(&answer, DNS_TYPE_MX, rows[i].records), arena,
                          findings, &records);
        check_mx_judge(records, n, &policy, arena, findings);
        if (!fixture_equal("findings", rows[i].want, judged_text(findings, text)))
            fail_msg("row %zu", i);
        findings_free(findings);
        arena_free(arena);
    }
}

static void test_answers_without_records(void **state)
{
    static const struct {
        enum dns_status status;
        const char *want;
        size_t n;
    } cases[] = {
        {DNS_NODATA, "mx-implicit -: a.example has no MX record\n", 1},
        {DNS_NXDOMAIN, "mx-no-domain -: DNS does not have the domain a.example\n", 0},
        {DNS_BOGUS, "mx-bogus -: DNSSEC refuses the MX records: the reason\n", 0},
        {DNS_FAILED, "mx-failed -: no answer for the MX records: the reason\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct findings *findings = findings_new();
        struct judged_answer answer;
        struct mx_record *records;
        char text[JUDGED_TEXT_SIZE];

        assert_int_equal(check_mx_list("a.example", judged_none(&answer, cases[i].status, ""),
                                       arena, findings, &records),
                         cases[i].n);
        if (cases[i].n == 1)
            assert_string_equal(records[0].host, "a.example");
        assert_true(fixture_equal("findings", cases[i].want, judged_text(findings, text)));
        findings_free(findings);
        arena_free(arena);
    }
}

/* By preference, then by name; mode none asks nothing of them. */
static void test_order(void **state)
{
    const char *const unsorted[] = {"20 a.example", "10 c.example", "10 b.example", NULL};
    const struct policy policy = {.mode = POLICY_MODE_NONE};
    struct arena *arena = arena_new(0);
    struct findings *findings = findings_new();
    struct judged_answer answer;
    struct mx_record *records;

    (void)state;
    assert_int_equal(check_mx_list("a.example", judged_records(&answer, DNS_TYPE_MX, unsorted),
                                   arena, findings, &records),
                     3);
    assert_string_equal(records[0].host, "b.example");
    assert_string_equal(records[1].host, "c.example");
    assert_string_equal(records[2].host, "a.example");
    assert_int_equal(records[2].sts, MX_UNKNOWN);
    assert_true(check_mx_is_host(&records[0]));
    check_mx_judge(records, 3, &policy, arena, findings);
    assert_int_equal(findings_count(findings), 0);
    findings_free(findings);
    arena_free(arena);
}

/* The best preferences are looked at, wherever they stand in the answer. */
static void test_many(void **state)
{
    enum { N = MX_RECORDS_MAX + 8 };
    struct arena *arena = arena_new(0);
    struct findings *findings = findings_new();
    char wire[N][4 + sizeof("a")], text[JUDGED_TEXT_SIZE];
    struct slice rdata[N];
    const struct dns_answer answer = {.status = DNS_OK, .rdata = rdata, .n_rdata = N};
    struct mx_record *records;

    (void)state;
    for (int i = 0; i < N; i++) {
        memcpy(wire[i], (const char[]){0, (char)(N - i), 1, 'a', 0}, 5);
        rdata[i] = (struct slice){wire[i], 5};
    }
    assert_int_equal(check_mx_list("a.example", &answer, arena, findings, &records),
                     MX_RECORDS_MAX);
    assert_int_equal(records[0].preference, 1);
    assert_int_equal(records[MX_RECORDS_MAX - 1].preference, MX_RECORDS_MAX);
    assert_string_equal(judged_text(findings, text),
                        "too-many-records -: a.example has 40 MX records, of which the first 32 by "
                        "preference are looked at\n");
    findings_free(findings);
    arena_free(arena);
}

/* Port 25 may be blocked here, unless others take connections. */
static void test_down(void **state)
{
    struct mx_record records[] = {
        {.host = "a.example", .is_down = true}, {.host = "b.example"}, {.host = "c.example"}};
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];

    (void)state;
    check_mx_judge_down(records, 3, findings);
    assert_int_equal(findings_count(findings), 0);
    records[1].is_reached = true;
    check_mx_judge_down(records, 3, findings);
    records[2].is_reached = true;
    check_mx_judge_down(records, 3, findings);
    assert_true(fixture_equal("findings",
                              "mx-host-down a.example: the MX host takes no connection on port 25; "
                              "1 of the domain's others does\n"
                              "mx-host-down a.example: the MX host takes no connection on port 25; "
                              "2 of the domain's others do\n",
                              judged_text(findings, text)));
    findings_free(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many), cmocka_unit_test(test_records),
                                       cmocka_unit_test(test_answers_without_records),
                                       cmocka_unit_test(test_order), cmocka_unit_test(test_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
