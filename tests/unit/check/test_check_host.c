/* SPDX-License-Identifier: MIT */
#include "check/check_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/host_visit.h"
#include "lib/base/arena.h"
#include "lib/policy/policy.h"
#include "support/fixture.h"
#include "support/judged.h"

#define NOW 1000000000
#define DAY (24 * 60 * 60)

static void judge_dns(const struct dns_answer *ipv4, const struct dns_answer *ipv6,
                      const struct host_wanted *wanted, const char *want)
{
    struct arena *arena = arena_new(0);
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];

    check_host_judge_dns("a.example", ipv4, ipv6, wanted, arena, findings);
    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    findings_free(findings);
    arena_free(arena);
}

static void test_dns(void **state)
{
    const char *const a[] = {"192.0.2.1", NULL}, *const aaaa[] = {"2001:db8::1", NULL};
    const char *const addresses[] = {"2001:db8:0::1", "192.0.2.1"};
    const struct host_wanted none = {0}, name = {.name = "policy.b.example"};
    struct host_wanted both = {.addresses = addresses, .n_addresses = 2};
    struct judged_answer no, ipv4, ipv6, bad;

    (void)state;
    judged_none(&no, DNS_NODATA, "mta-sts.a.example");
    judged_records(&ipv4, DNS_TYPE_A, a);
    judged_records(&ipv6, DNS_TYPE_AAAA, aaaa);
    judge_dns(&ipv4.answer, &ipv6.answer, &none, "");
    judge_dns(&ipv4.answer, &no.answer, &none, "");
    judge_dns(&no.answer, &ipv6.answer, &none,
              "host-ipv6-only -: mta-sts.a.example has no IPv4 address\n");
    judge_dns(&no.answer, &no.answer, &none, "host-missing -: mta-sts.a.example has no address\n");
    judge_dns(&ipv4.answer, judged_none(&bad, DNS_BOGUS, ""), &none,
              "host-bogus -: DNSSEC refuses the addresses of mta-sts.a.example: the reason\n");
    judge_dns(&ipv4.answer, judged_none(&bad, DNS_FAILED, ""), &none,
              "host-failed -: no answer for the addresses of mta-sts.a.example: the reason\n");
    judge_dns(judged_none(&bad, DNS_NXDOMAIN, "gone.b.example"), &bad.answer, &none,
              "host-missing -: mta-sts.a.example is a CNAME to 'gone.b.example', which has no "
              "address\n");
    judge_dns(judged_none(&bad, DNS_NXDOMAIN, "policy.b.example.a.example"), &bad.answer, &none,
              "host-cname-doubled -: mta-sts.a.example is a CNAME to 'policy.b.example.a.example', "
              "which has no address; 'policy.b.example' was likely meant\n");
    ipv4.answer.canonical = "policy.b.example";
    judge_dns(&ipv4.answer, &no.answer, &name, "");
    ipv4.answer.canonical = "cdn.example";
    judge_dns(&ipv4.answer, &no.answer, &name,
              "host-elsewhere -: mta-sts.a.example leads to 'cdn.example' and not to "
              "policy.b.example\n");
    judge_dns(&ipv4.answer, &ipv6.answer, &both, "");
    both.n_addresses = 1;
    judge_dns(&ipv4.answer, &ipv6.answer, &both,
              "host-elsewhere -: mta-sts.a.example has the address 192.0.2.1, which is not among "
              "policy_host.addresses\n");
}

static struct host_address good_address(void)
{
    return (struct host_address){
        .text = "192.0.2.1",
        .is_asked = true,
        .result = {.end = HTTP_DONE,
                   .why = "why",
                   .has_cert = true,
                   .cert = {.words = "", .ends_unix_s = NOW + 30 * DAY},
                   .tls_version = TLS1_3_VERSION,
                   .status = 200,
                   .media_type = SLICE_BYTES("text/plain")},
    };
}

static void judge_address(const struct host_address *address, const char *want, bool is_taken)
{
    struct findings *findings = findings_new();
    char text[JUDGED_TEXT_SIZE];

    assert_int_equal(check_host_judge_address(address, NOW, findings), is_taken);
    assert_true(fixture_equal("findings", want, judged_text(findings, text)));
    findings_free(findings);
}

static void test_certificates(void **state)
{
    static const struct {
        unsigned faults;
        const char *want;
    } rows[] = {
        {0, ""},
        {MX_CERT_NAME, "cert-name 192.0.2.1: the certificate names 'b.example'\n"},
        {MX_CERT_EXPIRED, "cert-expired 192.0.2.1: the certificate has expired: 9 October 2001, "
                          "01:47 UTC\n"},
        {MX_CERT_NOT_YET_VALID,
         "cert-not-yet-valid 192.0.2.1: the certificate is valid from 9 September 2001, 01:47 "
         "UTC\n"},
        {MX_CERT_SELF_SIGNED, "cert-self-signed 192.0.2.1: the certificate is self-signed\n"},
        {MX_CERT_INCOMPLETE, "cert-chain 192.0.2.1: the certificate comes without that of its "
                             "issuer, 'CN=x'\n"},
        {MX_CERT_UNTRUSTED,
         "cert-untrusted 192.0.2.1: the certificate is refused: words; issued by 'CN=x'\n"},
        {MX_CERT_WEAK,
         "cert-untrusted 192.0.2.1: the certificate is refused: words; issued by 'CN=x'\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host_address address = good_address();
        struct mx_cert *cert = &address.result.cert;

        cert->faults = rows[i].faults;
        cert->starts_unix_s = NOW;
        cert->words = "words";
        strcpy(cert->names, "'b.example'");
        strcpy(cert->issuer, "'CN=x'");
        judge_address(&address, rows[i].want, rows[i].faults == 0);
    }
}

static void test_certificate_that_ends_soon(void **state)
{
    struct host_address address = good_address();

    (void)state;
    address.result.cert.ends_unix_s = NOW + 7 * DAY;
    judge_address(&address, "", true);
    address.result.cert.ends_unix_s--;
    judge_address(&address,
                  "cert-expiring 192.0.2.1: the certificate expires: 16 September 2001, 01:47 "
                  "UTC\n",
                  true);
}

static void test_ends(void **state)
{
    static const struct {
        enum http_end end;
        const char *want;
    } rows[] = {
        {HTTP_NOT_ROUTED,
         "address-not-routed 192.0.2.1: this machine has no way to the address: why\n"},
        {HTTP_UNREACHABLE, "host-unreachable 192.0.2.1: port 443 takes no connection: why\n"},
        {HTTP_NO_TLS, "tls-refused 192.0.2.1: the TLS handshake fails: why\n"},
        {HTTP_TOO_SLOW, "http-timeout 192.0.2.1: no complete answer in 60.0 seconds\n"},
        {HTTP_BROKEN, "http-broken 192.0.2.1: the answer is broken: why\n"},
    };
    struct host_address address = good_address();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        address.result.end = rows[i].end;
        address.result.time_ms = 60000;
        judge_address(&address, rows[i].want, false);
    }
    address.is_asked = false;
    address.special = "a private address";
    judge_address(&address,
                  "address-special 192.0.2.1: this is a private address, which is not contacted\n",
                  false);
}

static void test_answers(void **state)
{
    struct host_address address = good_address();
    struct http_result *result = &address.result;

    (void)state;
    result->status = 404;
    judge_address(&address, "http-status 192.0.2.1: status 404 instead of 200\n", false);
    result->status = 301;
    judge_address(&address, "http-redirect 192.0.2.1: status 301, a redirect to nowhere\n", false);
    result->location = slice_of("https://b.example/\x1b");
    judge_address(&address,
                  "http-redirect 192.0.2.1: status 301, a redirect to 'https://b.example/\\x1b'\n",
                  false);
    result->status = 200;
    result->media_type = slice_of("Text/Plain ; charset=x");
    judge_address(&address, "", true);
    result->media_type = slice_of("text/html");
    judge_address(&address,
                  "http-type 192.0.2.1: the media type is 'text/html' instead of text/plain\n",
                  false);
    result->media_type = (struct slice){NULL, 0};
    judge_address(&address, "http-type 192.0.2.1: no media type is given\n", false);

    address = good_address();
    result->tls_version = TLS1_1_VERSION;
    judge_address(&address, "tls-old 192.0.2.1: the server knows no TLS 1.2\n", false);
    result->tls_version = TLS1_2_VERSION;
    judge_address(&address, "tls-only-1-2 192.0.2.1: the server knows no TLS 1.3\n", true);
    result->tls_version = TLS1_3_VERSION;
    result->time_ms = 2000;
    result->body.len = POLICY_BODY_ADVISED;
    judge_address(&address, "", true);
    result->time_ms = 2001;
    judge_address(&address, "http-slow-ish 192.0.2.1: the answer took 2.0 seconds\n", true);
    result->time_ms = 4000;
    judge_address(&address, "http-slow-ish 192.0.2.1: the answer took 4.0 seconds\n", true);
    result->time_ms = 0;
    result->body.len = POLICY_BODY_ADVISED + 1;
    judge_address(&address, "body-long 192.0.2.1: the policy has 4097 bytes\n", true);
    result->body.len = POLICY_BODY_MAX;
    judge_address(&address, "body-long 192.0.2.1: the policy has 10240 bytes\n", true);
    result->time_ms = 4001;
    result->body.len++;
    judge_address(&address,
                  "http-slow 192.0.2.1: the answer took 4.0 seconds\n"
                  "body-large 192.0.2.1: the policy has 10241 bytes\n",
                  true);
    result->time_ms = 0;
    result->body.len = POLICY_FETCH_MAX + 1;
    judge_address(&address, "body-too-large 192.0.2.1: the policy is larger than 64 KiB\n", false);
    result->body.len = 1;
    result->encoding = slice_of("identity");
    judge_address(&address, "", true);
    result->encoding = slice_of("gzip");
    judge_address(&address,
                  "http-encoded 192.0.2.1: the policy comes compressed, though nobody asked for "
                  "it: 'gzip'\n",
                  true);
}

/* What the server does beside its answer comes with it, and does not make it bad. */
static void test_faults(void **state)
{
    char first[] = "a policy is served", second[] = "no policy over HTTP/1.0";
    const struct behaviour_fault faults[] = {{CHECK_HOST_ANY_POLICY, true, first},
                                             {CHECK_HTTP_1_0, false, second}};
    struct host_address address = good_address();

    (void)state;
    address.faults = faults;
    address.n_faults = 2;
    judge_address(&address,
                  "host-any-policy 192.0.2.1: a policy is served\n"
                  "http-1-0 192.0.2.1: no policy over HTTP/1.0\n",
                  true);
}

static void test_list(void **state)
{
    const char *const a[] = {"192.0.2.1", "45.67.89.1", NULL}, *const aaaa[] = {"2a00::1", NULL};
    struct arena *arena = arena_new(0);
    struct judged_answer ipv4, ipv6;
    struct host_address *list;
    size_t n;

    (void)state;
    list = check_host_list(judged_records(&ipv4, DNS_TYPE_A, a),
                           judged_records(&ipv6, DNS_TYPE_AAAA, aaaa), arena, &n);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].text, "192.0.2.1");
    assert_non_null(list[0].special);
    assert_string_equal(list[1].text, "45.67.89.1");
    assert_null(list[1].special);
    assert_string_equal(list[2].text, "2a00::1");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns),     cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_ends),    cmocka_unit_test(test_certificate_that_ends_soon),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
