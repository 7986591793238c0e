/* SPDX-License-Identifier: MIT */
#include "check/host_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "lib/policy/policy.h"

#define BODY "version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmax_age: 604800\r\n"

static struct http_result policy_served(void)
{
    return (struct http_result){
        .end = HTTP_DONE, .why = "why", .status = 200, .body = SLICE_BYTES(BODY)};
}

static const struct host_probe *probe_find(enum check_finding finding)
{
    for (size_t i = 0; host_probe_at(i); i++)
        if (host_probe_at(i)->finding == finding)
            return host_probe_at(i);
    fail_msg("no probe for finding %d", (int)finding);
    return NULL;
}

static void judge(const struct host_probe *probe, const struct http_result *result,
                  enum check_finding want, const char *want_text)
{
    enum check_finding finding = CHECK_FINDING_COUNT;
    char text[HOST_FAULT_TEXT_MAX] = "";

    assert_int_equal(host_probe_judge(probe, result, &finding, text), want != CHECK_FINDING_COUNT);
    assert_int_equal(finding, want);
    assert_string_equal(text, want_text);
}

static void test_is_a_policy(void **state)
{
    struct http_result result = policy_served();

    (void)state;
    assert_true(host_probe_has_policy(&result));
    result.status = 206;
    assert_false(host_probe_has_policy(&result));
    result = policy_served();
    result.end = HTTP_BROKEN;
    assert_false(host_probe_has_policy(&result));
    result = policy_served();
    result.body = slice_of("<html>are you human?");
    assert_false(host_probe_has_policy(&result));
    result.body.len = POLICY_FETCH_MAX + 1;
    assert_false(host_probe_has_policy(&result));
}

static void test_a_policy_is_wanted(void **state)
{
    const struct host_probe *probe = probe_find(CHECK_HTTP_1_0);
    struct http_result result = policy_served();

    (void)state;
    judge(probe, &result, CHECK_FINDING_COUNT, "");
    result.status = 426;
    judge(probe, &result, CHECK_HTTP_1_0, "no policy over HTTP/1.0: status 426");
    result.status = 200;
    result.body = slice_of("x");
    judge(probe, &result, CHECK_HTTP_1_0,
          "no policy over HTTP/1.0: status 200, and the body is no policy");
    result.end = HTTP_BROKEN;
    judge(probe, &result, CHECK_HTTP_1_0, "no policy over HTTP/1.0: the answer is broken: why");
    result.end = HTTP_NO_TLS;
    judge(probe, &result, CHECK_HTTP_1_0, "no policy over HTTP/1.0: the TLS handshake fails: why");
    result.end = HTTP_TOO_SLOW;
    result.time_ms = 8000;
    judge(probe, &result, CHECK_HTTP_1_0,
          "no policy over HTTP/1.0: no complete answer in 8.0 seconds");
}

static void test_a_refusal_is_wanted(void **state)
{
    const struct host_probe *in_the_handshake = host_probe_at(0), *nameless = host_probe_at(1),
                            *in_http = host_probe_at(2);
    struct http_result result = policy_served();

    (void)state;
    assert_true(in_the_handshake->asks_other_name && nameless->manner.asks_no_server_name &&
                in_http->asks_other_host);
    result.has_cert = true;
    judge(in_the_handshake, &result, CHECK_HOST_ANY_POLICY, in_the_handshake->what);
    judge(nameless, &result, CHECK_HOST_ANY_POLICY, nameless->what);
    judge(in_http, &result, CHECK_HOST_ANY_POLICY, in_http->what);
    result.status = 404;
    judge(nameless, &result, CHECK_FINDING_COUNT, ""); /* a certificate is allowed there */
    judge(in_http, &result, CHECK_FINDING_COUNT, "");
    judge(in_the_handshake, &result, CHECK_HOST_ANY_CERTIFICATE,
          "for a host that does not exist, which the TLS handshake asks for (SNI), the server "
          "shows a certificate; it names no host");
    snprintf(result.cert.names, sizeof(result.cert.names), "'a.example'");
    judge(in_the_handshake, &result, CHECK_HOST_ANY_CERTIFICATE,
          "for a host that does not exist, which the TLS handshake asks for (SNI), the server "
          "shows a certificate; it names 'a.example'");
    memset(result.cert.names, 'x', sizeof(result.cert.names) - 1); /* cut, if at all */
    assert_true(host_probe_judge(in_the_handshake, &result, &(enum check_finding){0},
                                 (char[HOST_FAULT_TEXT_MAX]){0}));
    result.has_cert = false;
    result.end = HTTP_NO_TLS;
    judge(in_the_handshake, &result, CHECK_FINDING_COUNT, "");
}

static void test_the_table(void **state)
{
    size_t n = 0;

    (void)state;
    while (host_probe_at(n))
        n++;
    assert_in_range(n, 1, HOST_PROBES_MAX);
    assert_null(host_probe_at(SIZE_MAX));
    assert_true(probe_find(CHECK_TLS_ONLY_1_3)->is_of_server);
    assert_false(probe_find(CHECK_HTTP_USER_AGENT)->is_of_server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_a_policy),
        cmocka_unit_test(test_a_policy_is_wanted),
        cmocka_unit_test(test_a_refusal_is_wanted),
        cmocka_unit_test(test_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
