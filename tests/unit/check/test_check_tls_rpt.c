/* SPDX-License-Identifier: MIT */
#include "check/check_tls_rpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/http_fetch.h"
#include "lib/base/arena.h"
#include "support/fixture.h"
#include "support/judged.h"

static const struct {
    const char *text;
    const char *wanted; /* by our configuration; NULL: none */
    const char *want;
    const char *host; /* of the first target; NULL: none */
} rows[] = {
    {"v=TLSRPTv1; rua=mailto:a@b.example", NULL, "", "b.example"},
    {"v=TLSRPTv1; rua=mailto:a@B.example?subject=x", NULL, "", "b.example"},
    {"v=TLSRPTv1; rua=https://b.example:8443/x", NULL, "", "b.example"},
    {"v=TLSRPTv1; rua=https://b.example", NULL, "", "b.example"},
    {"v=TLSRPTv1; rua=mailto:a@b.example", "mailto:a@b.example", "", "b.example"},
    {"v=TLSRPTv1; rua=mailto:a@b.example", "mailto:c@b.example",
     "tls-rpt-not-ours -: the record at _smtp._tls.a.example has other addresses than tls_rpt\n",
     "b.example"},
    {"v=TLSRPTv1; rua=mailto:a@localhost", NULL,
     "rua-doubtful -: rua 'mailto:a@localhost' has a domain without a dot, where hardly any sender "
     "delivers; write its whole name\n",
     "localhost"},
    {"v=TLSRPTv1; rua=mailto:a@b.example,mailto:A@b.example", NULL,
     "rua-twice -: rua 'mailto:A@b.example' stands there twice\n", "b.example"},
    {"v=TLSRPTv1;", NULL,
     "tls-rpt-syntax -: the record at _smtp._tls.a.example: has no field 'rua'\n", NULL},
};

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const records[] = {rows[i].text, NULL};
        struct rua_wanted wanted = {&rows[i].wanted, rows[i].wanted ? 1 : 0};
        struct arena *arena = arena_new(0);
        struct findings *findings = findings_new();
        struct judged_answer answer;
        struct rua_target *targets;
        char text[JUDGED_TEXT_SIZE];
        size_t n = check_tls_rpt_judge("a.example", judged_records(&answer, DNS_TYPE_TXT, records),
                                       &wanted, arena, findings, &targets);

        if (!fixture_equal("findings", rows[i].want, judged_text(findings, text)) ||
            n != (rows[i].host ? 1 : 0) || (n == 1 && strcmp(targets[0].host, rows[i].host) != 0))
            fail_msg("row %zu: %zu %s", i, n, n == 1 ? targets[0].host : "");
        findings_free(findings);
        arena_free(arena);
    }
}

static void judge_target(bool is_https, const struct dns_answer *mx, const struct dns_answer *a,
                         const char *want)
{
    const struct rua_target target = {
        .uri = slice_of("x:y"), .host = "b.example", .is_https = is_https};
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];

    check_tls_rpt_judge_target(&target, mx, a, a, findings);
    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    findings_free(findings);
}

static void test_targets(void **state)
{
    const char *const null_mx[] = {"0 .", NULL}, *const mx[] = {"10 mx.example", NULL};
    const char *const a[] = {"192.0.2.1", NULL};
    struct judged_answer none, failed, null_answer, mx_answer, address;

    (void)state;
    judged_none(&none, DNS_NXDOMAIN, "");
    judged_none(&failed, DNS_FAILED, "");
    judged_records(&null_answer, DNS_TYPE_MX, null_mx);
    judged_records(&mx_answer, DNS_TYPE_MX, mx);
    judged_records(&address, DNS_TYPE_A, a);
    judge_target(false, &mx_answer.answer, &none.answer, "");
    judge_target(false, &none.answer, &address.answer, "");
    judge_target(false, &none.answer, &failed.answer, "");
    judge_target(false, &failed.answer, &none.answer, "");
    judge_target(false, &none.answer, &none.answer,
                 "rua-no-mx -: rua 'x:y': b.example has neither an MX record nor an address\n");
    judge_target(false, &null_answer.answer, &address.answer,
                 "rua-no-mx -: rua 'x:y': b.example has the null MX record\n");
    judge_target(true, &none.answer, &address.answer, "");
    judge_target(true, &mx_answer.answer, &none.answer,
                 "rua-unreachable -: rua 'x:y': the host has no address\n");
}

static void judge_server(enum http_end end, unsigned faults, const char *want)
{
    const struct rua_target target = {.uri = slice_of("x:y"), .host = "b.example"};
    const struct http_result result = {.end = end,
                                       .why = "the reason",
                                       .has_cert = true,
                                       .cert = {.faults = faults, .words = "expired"},
                                       .status = 405};
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];

    check_tls_rpt_judge_server(&target, &result, findings);
    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    findings_free(findings);
}

static void test_servers(void **state)
{
    (void)state;
    judge_server(HTTP_DONE, 0, "");
    judge_server(HTTP_NOT_ROUTED, 0, "");
    judge_server(HTTP_UNREACHABLE, 0,
                 "rua-unreachable -: rua 'x:y': the server does not answer: the reason\n");
    judge_server(HTTP_DONE, MX_CERT_EXPIRED,
                 "rua-unreachable -: rua 'x:y': the server's certificate is refused: expired\n");
    judge_server(HTTP_DONE, MX_CERT_NAME,
                 "rua-unreachable -: rua 'x:y': the server's certificate is refused: it does not "
                 "name the host\n");
}

static void test_server_of_an_address(void **state)
{
    static const struct {
        const char *text, *path;
        uint16_t port;
    } servers[] = {
        {"v=TLSRPTv1; rua=https://b.example", "/", 443},
        {"v=TLSRPTv1; rua=https://b.example?x", "/", 443},
        {"v=TLSRPTv1; rua=https://b.example/", "/", 443},
        {"v=TLSRPTv1; rua=https://b.example:8443/x/y", "/x/y", 8443},
        {"v=TLSRPTv1; rua=https://b.example:65536/", "/", 443},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        const char *const records[] = {servers[i].text, NULL};
        const struct rua_wanted wanted = {0};
        struct arena *arena = arena_new(0);
        struct findings *findings = findings_new();
        struct judged_answer answer;
        struct rua_target *targets;

        if (check_tls_rpt_judge("a.example", judged_records(&answer, DNS_TYPE_TXT, records),
                                &wanted, arena, findings, &targets) != 1 ||
            targets[0].port != servers[i].port || strcmp(targets[0].path, servers[i].path) != 0)
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
    } cases[] = {
        {DNS_NODATA, "tls-rpt-missing -: there is no TXT record at _smtp._tls.a.example\n"},
        {DNS_FAILED, "tls-rpt-failed -: no answer for _smtp._tls.a.example: the reason\n"},
        {DNS_BOGUS, "tls-rpt-failed -: no answer for _smtp._tls.a.example: the reason\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct rua_wanted wanted = {0};
        struct arena *arena = arena_new(0);
        struct findings *findings = findings_new();
        struct judged_answer answer;
        struct rua_target *targets;
        char text[JUDGED_TEXT_SIZE];

        assert_int_equal(check_tls_rpt_judge("a.example", judged_none(&answer, cases[i].status, ""),
                                             &wanted, arena, findings, &targets),
                         0);
        assert_true(fixture_equal("findings", cases[i].want, judged_text(findings, text)));
        findings_free(findings);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records), cmocka_unit_test(test_targets),
        cmocka_unit_test(test_servers), cmocka_unit_test(test_server_of_an_address),
        cmocka_unit_test(test_answers_without_records)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
