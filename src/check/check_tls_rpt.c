/* SPDX-License-Identifier: MIT */
#include "check/check_tls_rpt.h"

#include <string.h>

#include "check/check_txt.h"
#include "check/dns_source.h"
#include "check/findings.h"
#include "check/http_fetch.h"
#include "check/rdata.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/dns/record.h"
#include "lib/dns/record_parse.h"
#include "lib/dns/report_uri.h"

enum {
    HTTPS_PORT = 443,
};

/* The host of https://host[:port]/..., or what stands between the first "@" and the next address.
 */
static struct slice rua_host(struct slice uri, bool *ret_is_https)
{
    size_t scheme = slice_find_byte(uri, ':');

    *ret_is_https = slice_eq_nocase(slice_range(uri, 0, scheme), slice_of("https"));
    if (*ret_is_https) {
        struct slice host = slice_range(uri, scheme + 3, uri.len);
        return slice_range(host, 0, strcspn(host.ptr, ":/?#"));
    }
    uri = slice_range(uri, scheme + 1, uri.len);
    uri = slice_range(uri, slice_find_byte(uri, '@') + 1, uri.len);
    return slice_range(uri, 0, strcspn(uri.ptr, "?,%"));
}

/* What follows the host of https: a port, a path. */
static void rua_read_server(struct rua_target *target)
{
    const char *after = strstr(target->uri.ptr, "://");
    uint64_t port = HTTPS_PORT;

    if (!target->is_https || !after)
        return;
    after += strlen("://");
    after += strcspn(after, ":/?#");
    if (*after == ':') {
        size_t len = strspn(++after, "0123456789");

        slice_to_u64((struct slice){after, len}, UINT16_MAX, &port);
        after += len;
    }
    target->port = (uint16_t)port;
    target->path = *after == '/' ? after : "/";
}

static bool rua_stands_before(const struct tls_rpt_record *record, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (slice_eq_nocase(record->rua[i], record->rua[index]))
            return true;
    return false;
}

static size_t rua_list(const struct tls_rpt_record *record, struct arena *arena,
                       struct findings *findings, struct rua_target *targets)
{
    char name[DNS_NAME_MAX + 1], quoted[ERR_QUOTE_MAX];
    size_t n = 0;
    struct err err;

    if (record->n_rua > RUA_MAX)
        findings_add(findings, CHECK_TOO_MANY_RECORDS, NULL,
                     "the record for TLS reports has %zu addresses, of which %d are looked at",
                     record->n_rua, RUA_MAX);
    for (size_t i = 0; i < record->n_rua && i < RUA_MAX; i++) {
        struct slice uri = {arena_copy(arena, record->rua[i]), record->rua[i].len};
        const char *doubt = tls_rpt_uri_doubt(uri);
        struct rua_target *target = &targets[n];

        if (rua_stands_before(record, i)) {
            findings_add(findings, CHECK_RUA_TWICE, NULL, "rua %s stands there twice",
                         err_quote(quoted, sizeof(quoted), uri));
            continue;
        }

        if (doubt)
            findings_add(findings, CHECK_RUA_DOUBTFUL, NULL, "rua %s %s",
                         err_quote(quoted, sizeof(quoted), uri), doubt);
        target->uri = uri;
        if (dns_name_parse(rua_host(uri, &target->is_https), name, NULL, &err) != 0)
            continue;
        target->host = arena_copy(arena, slice_of(name));
        rua_read_server(target);
        n++;
    }
    return n;
}

static bool rua_is_wanted(const struct tls_rpt_record *record, const struct rua_wanted *wanted)
{
    if (record->n_rua != wanted->n_rua)
        return false;
    for (size_t i = 0; i < wanted->n_rua; i++)
        if (!slice_eq_text(record->rua[i], wanted->rua[i]))
            return false;
    return true;
}

size_t check_tls_rpt_judge(const char *domain, const struct dns_answer *answer,
                           const struct rua_wanted *wanted, struct arena *arena,
                           struct findings *findings, struct rua_target **ret_targets)
{
    struct tls_rpt_record record;
    struct slice *texts;
    struct err err;
    size_t n;

    *ret_targets = arena_array(arena, RUA_MAX, sizeof(**ret_targets));
    if (answer->status == DNS_FAILED || answer->status == DNS_BOGUS) {
        findings_add(findings, CHECK_TLS_RPT_FAILED, NULL, "no answer for _smtp._tls.%s: %s",
                     domain, answer->why);
        return 0;
    }
    texts = check_txt_list(answer, arena, &n);
    if (answer->status != DNS_OK || n == 0) {
        findings_add(findings, CHECK_TLS_RPT_MISSING, NULL,
                     "there is no TXT record at _smtp._tls.%s", domain);
        return 0;
    }
    if (tls_rpt_record_parse(texts, n, arena, &record, &err) != 0) {
        findings_add(findings, CHECK_TLS_RPT_SYNTAX, NULL, "the record at _smtp._tls.%s: %s",
                     domain, err.msg);
        return 0;
    }
    if (wanted->n_rua > 0 && !rua_is_wanted(&record, wanted))
        findings_add(findings, CHECK_TLS_RPT_NOT_OURS, NULL,
                     "the record at _smtp._tls.%s has other addresses than tls_rpt", domain);
    check_txt_judge_split(DNS_PREFIX_TLS_RPT, domain, answer, findings);
    return rua_list(&record, arena, findings, *ret_targets);
}

void check_tls_rpt_judge_old(const char *domain, const struct dns_answer *answer,
                             struct arena *arena, struct findings *findings)
{
    struct slice *texts;
    size_t n;

    texts = check_txt_list(answer, arena, &n);
    for (size_t i = 0; answer->status == DNS_OK && i < n; i++)
        if (slice_starts_with(texts[i], "v=TLSRPTv1"))
            findings_add(findings, CHECK_TLS_RPT_OLD_NAME, NULL,
                         "the record stands at _smtp-tlsrpt.%s instead of " DNS_PREFIX_TLS_RPT "%s",
                         domain, domain);
}

void check_tls_rpt_judge_target(const struct rua_target *target, const struct dns_answer *mx,
                                const struct dns_answer *ipv4, const struct dns_answer *ipv6,
                                struct findings *findings)
{
    bool has_address = ipv4->status == DNS_OK || ipv6->status == DNS_OK;
    bool is_absent = ipv4->status != DNS_FAILED && ipv6->status != DNS_FAILED && !has_address;
    char quoted[ERR_QUOTE_MAX], host[RDATA_NAME_SIZE];
    uint16_t preference;

    err_quote(quoted, sizeof(quoted), target->uri);
    if (target->is_https && is_absent)
        findings_add(findings, CHECK_RUA_UNREACHABLE, NULL, "rua %s: the host has no address",
                     quoted);
    if (target->is_https)
        return;
    if (mx->status == DNS_OK && mx->n_rdata == 1 &&
        rdata_mx(mx->rdata[0], &preference, host) == 0 && strcmp(host, ".") == 0)
        findings_add(findings, CHECK_RUA_NO_MX, NULL, "rua %s: %s has the null MX record", quoted,
                     target->host);
    else if ((mx->status == DNS_NODATA || mx->status == DNS_NXDOMAIN) && is_absent)
        findings_add(findings, CHECK_RUA_NO_MX, NULL,
                     "rua %s: %s has neither an MX record nor an address", quoted, target->host);
}

void check_tls_rpt_judge_server(const struct rua_target *target, const struct http_result *result,
                                struct findings *findings)
{
    char quoted[ERR_QUOTE_MAX];

    err_quote(quoted, sizeof(quoted), target->uri);
    if (result->end != HTTP_DONE && result->end != HTTP_NOT_ROUTED)
        findings_add(findings, CHECK_RUA_UNREACHABLE, NULL,
                     "rua %s: the server does not answer: %s", quoted, result->why);
    else if (result->has_cert && result->cert.faults != 0)
        findings_add(findings, CHECK_RUA_UNREACHABLE, NULL,
                     "rua %s: the server's certificate is refused: %s", quoted,
                     result->cert.faults & MX_CERT_NAME ? "it does not name the host"
                                                        : result->cert.words);
}
