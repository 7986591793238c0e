/* SPDX-License-Identifier: MIT */
#include "check/check_host.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/ssl.h>

#include "check/check_txt.h"
#include "check/dns_source.h"
#include "check/findings.h"
#include "check/host_visit.h"
#include "check/rdata.h"
#include "check/special_address.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/when.h"
#include "lib/dns/record.h"
#include "lib/policy/policy.h"

enum {
    HTTPS_PORT = 443,
    EXPIRING_S = 7 * 24 * 60 * 60,
    SLOW_MS = 4000,    /* where postfix-mta-sts-resolver gives up */
    SLOWISH_MS = 2000, /* where postfix-tlspol does */
    HTTP_OK = 200,
};

static void host_list_answer(const struct dns_answer *answer, struct arena *arena,
                             struct host_address *list, size_t *n)
{
    char text[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; answer->status == DNS_OK && i < answer->n_rdata; i++) {
        struct host_address *address = &list[*n];
        const struct sockaddr *socket = (const struct sockaddr *)&address->address;

        if (*n == HOST_ADDRESSES_MAX ||
            rdata_address(answer->rdata[i], HTTPS_PORT, &address->address) != 0)
            continue;
        address->text = arena_copy(arena, slice_of(special_address_text(socket, text)));
        address->canonical = arena_copy(arena, slice_of(answer->canonical));
        address->special = special_address_kind(socket);
        (*n)++;
    }
}

struct host_address *check_host_list(const struct dns_answer *ipv4, const struct dns_answer *ipv6,
                                     struct arena *arena, size_t *ret_n)
{
    struct host_address *list = arena_array(arena, HOST_ADDRESSES_MAX, sizeof(*list));

    *ret_n = 0;
    host_list_answer(ipv4, arena, list, ret_n);
    host_list_answer(ipv6, arena, list, ret_n);
    return list;
}

static void host_judge_missing(const char *domain, const struct dns_answer *answer,
                               struct arena *arena, struct findings *findings)
{
    char own[POLICY_HOST_SIZE], quoted[ERR_QUOTE_MAX], quoted_meant[ERR_QUOTE_MAX];
    const char *meant = NULL;
    bool is_cname;

    dns_policy_host_render(domain, own);
    is_cname = answer->canonical[0] && strcmp(answer->canonical, own) != 0;
    if (is_cname)
        meant = check_txt_doubled_target(domain, answer->canonical, arena);
    err_quote(quoted, sizeof(quoted), slice_of(answer->canonical));
    if (meant)
        findings_add(findings, CHECK_HOST_CNAME_DOUBLED, NULL,
                     "%s is a CNAME to %s, which has no address; %s was likely meant", own, quoted,
                     err_quote(quoted_meant, sizeof(quoted_meant), slice_of(meant)));
    else if (is_cname)
        findings_add(findings, CHECK_HOST_MISSING, NULL,
                     "%s is a CNAME to %s, which has no address", own, quoted);
    else
        findings_add(findings, CHECK_HOST_MISSING, NULL, "%s has no address", own);
}

static bool host_has_address(const struct host_wanted *wanted, struct slice rdata)
{
    unsigned char bytes[PREFIX_BYTES];

    for (size_t i = 0; i < wanted->n_addresses; i++)
        if (prefix_address_parse(rdata.len == sizeof(struct in_addr) ? AF_INET : AF_INET6,
                                 slice_of(wanted->addresses[i]), bytes) == 0 &&
            memcmp(bytes, rdata.ptr, rdata.len) == 0)
            return true;
    return false;
}

static void host_judge_place(const char *domain, const struct dns_answer *answer,
                             const struct host_wanted *wanted, struct findings *findings)
{
    char own[POLICY_HOST_SIZE], quoted[ERR_QUOTE_MAX], text[ADDRESS_TEXT_SIZE];
    struct sockaddr_storage address;

    dns_policy_host_render(domain, own);
    if (answer->status != DNS_OK)
        return;
    if (wanted->name && strcmp(answer->canonical, wanted->name) != 0) {
        findings_add(findings, CHECK_HOST_ELSEWHERE, NULL, "%s leads to %s and not to %s", own,
                     err_quote(quoted, sizeof(quoted), slice_of(answer->canonical)), wanted->name);
        return;
    }
    for (size_t i = 0; wanted->n_addresses > 0 && i < answer->n_rdata; i++)
        if (!host_has_address(wanted, answer->rdata[i]) &&
            rdata_address(answer->rdata[i], 0, &address) == 0)
            findings_add(findings, CHECK_HOST_ELSEWHERE, NULL,
                         "%s has the address %s, which is not among policy_host.addresses", own,
                         special_address_text((const struct sockaddr *)&address, text));
}

void check_host_judge_dns(const char *domain, const struct dns_answer *ipv4,
                          const struct dns_answer *ipv6, const struct host_wanted *wanted,
                          struct arena *arena, struct findings *findings)
{
    const struct dns_answer *bogus = ipv4->status == DNS_BOGUS   ? ipv4
                                     : ipv6->status == DNS_BOGUS ? ipv6
                                                                 : NULL;
    const struct dns_answer *failed = ipv4->status == DNS_FAILED   ? ipv4
                                      : ipv6->status == DNS_FAILED ? ipv6
                                                                   : NULL;

    if (bogus)
        findings_add(findings, CHECK_HOST_BOGUS, NULL,
                     "DNSSEC refuses the addresses of mta-sts.%s: %s", domain, bogus->why);
    else if (failed)
        findings_add(findings, CHECK_HOST_FAILED, NULL,
                     "no answer for the addresses of mta-sts.%s: %s", domain, failed->why);
    else if (ipv4->status != DNS_OK && ipv6->status != DNS_OK)
        host_judge_missing(domain, ipv4, arena, findings);
    else if (ipv4->status != DNS_OK)
        findings_add(findings, CHECK_HOST_IPV6_ONLY, NULL, "mta-sts.%s has no IPv4 address",
                     domain);
    if (ipv4->n_rdata + ipv6->n_rdata > HOST_ADDRESSES_MAX)
        findings_add(findings, CHECK_TOO_MANY_RECORDS, NULL,
                     "mta-sts.%s has %zu addresses, of which %d are asked for the policy", domain,
                     ipv4->n_rdata + ipv6->n_rdata, HOST_ADDRESSES_MAX);
    host_judge_place(domain, ipv4, wanted, findings);
    host_judge_place(domain, ipv6, wanted, findings);
}

/* Returns whether a sender accepts it. */
static bool host_judge_certificate(const struct host_address *address, int64_t now_unix_s,
                                   struct findings *findings)
{
    const struct mx_cert *cert = &address->result.cert;
    const char *at = address->text;
    char date[WHEN_SIZE];

    when_date(cert->ends_unix_s, date);
    if (cert->faults & MX_CERT_NAME)
        findings_add(findings, CHECK_CERT_NAME, at, "the certificate names %s",
                     cert->names[0] ? cert->names : "no host");
    if (cert->faults & MX_CERT_EXPIRED)
        findings_add(findings, CHECK_CERT_EXPIRED, at, "the certificate has expired: %s", date);
    else if (cert->ends_unix_s < now_unix_s + EXPIRING_S)
        findings_add(findings, CHECK_CERT_EXPIRING, at, "the certificate expires: %s", date);
    if (cert->faults & MX_CERT_NOT_YET_VALID)
        findings_add(findings, CHECK_CERT_NOT_YET_VALID, at, "the certificate is valid from %s",
                     when_date(cert->starts_unix_s, date));
    if (cert->faults & MX_CERT_SELF_SIGNED)
        findings_add(findings, CHECK_CERT_SELF_SIGNED, at, "the certificate is self-signed");
    if (cert->faults & MX_CERT_INCOMPLETE)
        findings_add(findings, CHECK_CERT_CHAIN, at,
                     "the certificate comes without that of its issuer, %s", cert->issuer);
    if (cert->faults & (MX_CERT_UNTRUSTED | MX_CERT_WEAK | MX_CERT_OTHER))
        findings_add(findings, CHECK_CERT_UNTRUSTED, at,
                     "the certificate is refused: %s; issued by %s", cert->words, cert->issuer);
    return cert->faults == 0;
}

static void host_judge_end(const struct host_address *address, struct findings *findings)
{
    const struct http_result *result = &address->result;
    const char *at = address->text;

    switch (result->end) {
    case HTTP_DONE:
        break;
    case HTTP_NOT_ROUTED:
        findings_add(findings, CHECK_ADDRESS_NOT_ROUTED, at,
                     "this machine has no way to the address: %s", result->why);
        break;
    case HTTP_UNREACHABLE:
        findings_add(findings, CHECK_HOST_UNREACHABLE, at, "port 443 takes no connection: %s",
                     result->why);
        break;
    case HTTP_NO_TLS:
        findings_add(findings, CHECK_TLS_REFUSED, at, "the TLS handshake fails: %s", result->why);
        break;
    case HTTP_TOO_SLOW:
        findings_add(findings, CHECK_HTTP_TIMEOUT, at, "no complete answer in %.1f seconds",
                     result->time_ms / 1000.0);
        break;
    case HTTP_BROKEN:
        findings_add(findings, CHECK_HTTP_BROKEN, at, "the answer is broken: %s", result->why);
        break;
    }
}

/* text/plain with whatever parameters. RFC 8461 3.3 passes over those it does not know. */
static bool media_type_is_text(struct slice type)
{
    struct slice essence = slice_trim(slice_range(type, 0, slice_find_byte(type, ';')));

    return slice_eq_nocase(essence, slice_of("text/plain"));
}

static bool host_judge_status(const struct host_address *address, struct findings *findings)
{
    const struct http_result *result = &address->result;
    char quoted[ERR_QUOTE_MAX];

    if (result->status >= 300 && result->status < 400)
        findings_add(findings, CHECK_HTTP_REDIRECT, address->text, "status %ld, a redirect to %s",
                     result->status,
                     result->location.ptr ? err_quote(quoted, sizeof(quoted), result->location)
                                          : "nowhere");
    else if (result->status != HTTP_OK)
        findings_add(findings, CHECK_HTTP_STATUS, address->text, "status %ld instead of 200",
                     result->status);
    return result->status == HTTP_OK;
}

static bool host_judge_type(const struct host_address *address, struct findings *findings)
{
    const struct http_result *result = &address->result;
    char quoted[ERR_QUOTE_MAX];

    if (result->media_type.ptr && media_type_is_text(result->media_type))
        return true;
    if (result->media_type.ptr)
        findings_add(findings, CHECK_HTTP_TYPE, address->text,
                     "the media type is %s instead of text/plain",
                     err_quote(quoted, sizeof(quoted), result->media_type));
    else
        findings_add(findings, CHECK_HTTP_TYPE, address->text, "no media type is given");
    return false;
}

/* Returns whether a sender takes the answer. */
static bool host_judge_answer(const struct host_address *address, struct findings *findings)
{
    const struct http_result *result = &address->result;
    char quoted[ERR_QUOTE_MAX];

    if (!host_judge_status(address, findings))
        return false;
    if (result->encoding.ptr && !slice_eq_text(result->encoding, "identity"))
        findings_add(findings, CHECK_HTTP_ENCODED, address->text,
                     "the policy comes compressed, though nobody asked for it: %s",
                     err_quote(quoted, sizeof(quoted), result->encoding));
    if (result->time_ms > SLOW_MS)
        findings_add(findings, CHECK_HTTP_SLOW, address->text, "the answer took %.1f seconds",
                     result->time_ms / 1000.0);
    else if (result->time_ms > SLOWISH_MS)
        findings_add(findings, CHECK_HTTP_SLOWISH, address->text, "the answer took %.1f seconds",
                     result->time_ms / 1000.0);
    if (result->body.len > POLICY_FETCH_MAX) {
        findings_add(findings, CHECK_BODY_TOO_LARGE, address->text,
                     "the policy is larger than 64 KiB");
        return false;
    }
    if (result->body.len > POLICY_BODY_MAX)
        findings_add(findings, CHECK_BODY_LARGE, address->text, "the policy has %zu bytes",
                     result->body.len);
    else if (result->body.len > POLICY_BODY_ADVISED)
        findings_add(findings, CHECK_BODY_LONG, address->text, "the policy has %zu bytes",
                     result->body.len);
    return host_judge_type(address, findings);
}

bool check_host_judge_address(const struct host_address *address, int64_t now_unix_s,
                              struct findings *findings)
{
    const struct http_result *result = &address->result;
    bool is_good = true;

    if (!address->is_asked) {
        findings_add(findings, CHECK_ADDRESS_SPECIAL, address->text,
                     "this is %s, which is not contacted", address->special);
        return false;
    }
    host_judge_end(address, findings);
    if (result->tls_version != 0 && result->tls_version < TLS1_2_VERSION) {
        findings_add(findings, CHECK_TLS_OLD, address->text, "the server knows no TLS 1.2");
        is_good = false;
    }
    if (result->tls_version == TLS1_2_VERSION)
        findings_add(findings, CHECK_TLS_ONLY_1_2, address->text, "the server knows no TLS 1.3");
    if (result->has_cert && !host_judge_certificate(address, now_unix_s, findings))
        is_good = false;
    if (result->end == HTTP_DONE && !host_judge_answer(address, findings))
        is_good = false;
    for (size_t i = 0; i < address->n_faults; i++)
        findings_add(findings, address->faults[i].finding, address->text, "%s",
                     address->faults[i].text);
    return is_good && result->end == HTTP_DONE;
}
