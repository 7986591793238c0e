/* SPDX-License-Identifier: MIT */
#include "check/host_probe.h"

#include <stdio.h>

#include <openssl/ssl.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/policy/parse.h"
#include "lib/policy/policy.h"

enum {
    HTTP_STATUS_OK = 200,
    POLICY_ARENA_MAX = 1024 * 1024,
    OUTCOME_MAX = 320,
};

#define PROBE_AGENT(name)                                              \
    {                                                                  \
        .manner.user_agent = (name), .finding = CHECK_HTTP_USER_AGENT, \
        .what = "no policy for the User-Agent '" name "'"              \
    }

/* Senders ask for the policy host in the handshake and in HTTP alike, so that only those come to
 * one that the server does not have whose domain is not, or no longer, served here. */
static const struct host_probe host_probes[] = {
    {.goal = PROBE_WANTS_REFUSAL,
     .asks_other_name = true,
     .is_of_server = true,
     .finding = CHECK_HOST_ANY_POLICY,
     .what = "a policy is served for a host that does not exist, which the TLS handshake (SNI) and "
             "HTTP ask for"},
    {.manner.asks_no_server_name = true,
     .goal = PROBE_WANTS_REFUSAL,
     .asks_other_name = true,
     .is_of_server = true,
     .finding = CHECK_HOST_ANY_POLICY,
     .what = "a policy is served for a host that does not exist, which HTTP asks for and the TLS "
             "handshake (SNI) for none"},
    {.goal = PROBE_WANTS_REFUSAL,
     .asks_other_host = true,
     .is_of_server = true,
     .finding = CHECK_HOST_ANY_POLICY,
     .what = "a policy is served for a host that does not exist, which HTTP asks for and the TLS "
             "handshake (SNI) for the right one"},
    {.manner.tls_newest = TLS1_2_VERSION,
     .is_of_server = true,
     .finding = CHECK_TLS_ONLY_1_3,
     .what = "no policy over TLS 1.2"},
    {.manner.protocol = HTTP_1_1_WITHOUT_ALPN,
     .finding = CHECK_HTTP_VERSION,
     .what = "no policy over HTTP/1.1 when the handshake names no protocol (ALPN), as that of "
             "postfix-mta-sts-resolver"},
    {.manner.protocol = HTTP_2,
     .finding = CHECK_HTTP_VERSION,
     .what = "no policy when the handshake offers HTTP/2 (ALPN), as that of senders in Go"},
    {.manner.protocol = HTTP_1_0, .finding = CHECK_HTTP_1_0, .what = "no policy over HTTP/1.0"},
    {.manner.headers = {"Range: bytes=0-65535"},
     .finding = CHECK_HTTP_PARTIAL,
     .what = "no policy when its first 64 KiB are asked for (Range)"},
    {.asks_for_changes = true,
     .finding = CHECK_HTTP_PARTIAL,
     .what = "no policy when it is asked for if it has changed (If-None-Match)"},
    {.manner.user_agent = "",
     .finding = CHECK_HTTP_USER_AGENT,
     .what = "no policy without a User-Agent"},
    PROBE_AGENT("postfix-mta-sts-resolver"),
    PROBE_AGENT("Go-http-client/1.1"),
    PROBE_AGENT("Google-SMTP-STS"),
    PROBE_AGENT("libwww-perl/6.68"),
};

const struct host_probe *host_probe_at(size_t nth)
{
    return nth < sizeof(host_probes) / sizeof(host_probes[0]) ? &host_probes[nth] : NULL;
}

bool host_probe_has_policy(const struct http_result *result)
{
    struct arena *arena;
    struct policy policy;
    struct err err;
    bool is_policy;

    if (result->end != HTTP_DONE || result->status != HTTP_STATUS_OK ||
        result->body.len > POLICY_FETCH_MAX)
        return false;
    arena = arena_new(POLICY_ARENA_MAX);
    is_policy = policy_parse(result->body, arena, &policy, &err) == 0;
    arena_free(arena);
    return is_policy;
}

static const char *probe_outcome(const struct http_result *result, char buffer[OUTCOME_MAX])
{
    switch (result->end) {
    case HTTP_DONE:
        snprintf(buffer, OUTCOME_MAX, "status %ld%s", result->status,
                 result->status == HTTP_STATUS_OK ? ", and the body is no policy" : "");
        break;
    case HTTP_NO_TLS:
        snprintf(buffer, OUTCOME_MAX, "the TLS handshake fails: %s", result->why);
        break;
    case HTTP_TOO_SLOW:
        snprintf(buffer, OUTCOME_MAX, "no complete answer in %.1f seconds",
                 result->time_ms / 1000.0);
        break;
    case HTTP_NOT_ROUTED:
    case HTTP_UNREACHABLE:
    case HTTP_BROKEN:
        snprintf(buffer, OUTCOME_MAX, "the answer is broken: %s", result->why);
        break;
    }
    return buffer;
}

/* A certificate without a policy is against the letter of RFC 8461 7.1 too, but no sender comes to
 * see it; that it is shown where the handshake asks for no name is allowed. */
static bool probe_judge_refusal(const struct host_probe *probe, const struct http_result *result,
                                enum check_finding *ret_finding,
                                char text[static HOST_FAULT_TEXT_MAX])
{
    const char *names = result->cert.names[0] ? result->cert.names : "no host";

    if (host_probe_has_policy(result)) {
        *ret_finding = probe->finding;
        snprintf(text, HOST_FAULT_TEXT_MAX, "%s", probe->what);
        return true;
    }
    if (!probe->asks_other_name || probe->manner.asks_no_server_name || !result->has_cert)
        return false;
    *ret_finding = CHECK_HOST_ANY_CERTIFICATE;
    snprintf(text, HOST_FAULT_TEXT_MAX,
             "for a host that does not exist, which the TLS handshake asks for (SNI), the server "
             "shows a certificate; it names %s",
             names);
    return true;
}

bool host_probe_judge(const struct host_probe *probe, const struct http_result *result,
                      enum check_finding *ret_finding, char text[static HOST_FAULT_TEXT_MAX])
{
    char outcome[OUTCOME_MAX];

    if (probe->goal == PROBE_WANTS_REFUSAL)
        return probe_judge_refusal(probe, result, ret_finding, text);
    if (host_probe_has_policy(result))
        return false;
    *ret_finding = probe->finding;
    snprintf(text, HOST_FAULT_TEXT_MAX, "%s: %s", probe->what, probe_outcome(result, outcome));
    return true;
}
