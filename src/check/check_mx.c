/* SPDX-License-Identifier: MIT */
#include "check/check_mx.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/rdata.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/prefix.h"
#include "lib/base/suggest.h"
#include "lib/policy/mx.h"
#include "lib/policy/policy.h"

static int mx_compare(const void *a, const void *b)
{
    const struct mx_record *left = a, *right = b;

    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return strcmp(left->host, right->host);
}

static bool mx_is_address(const char *host)
{
    unsigned char bytes[PREFIX_BYTES];

    return prefix_address_parse(AF_INET, slice_of(host), bytes) == 0 ||
           prefix_address_parse(AF_INET6, slice_of(host), bytes) == 0;
}

bool check_mx_is_host(const struct mx_record *record)
{
    return strcmp(record->host, ".") != 0 && !mx_is_address(record->host);
}

/* "MX 0 ." alone. */
static bool mx_is_null(const struct mx_record *records, size_t n)
{
    return n == 1 && strcmp(records[0].host, ".") == 0;
}

/* All of them are sorted before some are left out: a sender begins with the best preference. */
static size_t mx_read_answer(const struct dns_answer *answer, struct mx_record *records,
                             struct arena *arena)
{
    char host[RDATA_NAME_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < answer->n_rdata; i++) {
        if (rdata_mx(answer->rdata[i], &records[n].preference, host) != 0)
            continue;
        records[n].sts = records[n].dane = MX_UNKNOWN;
        records[n++].host = arena_copy(arena, slice_of(host));
    }
    qsort(records, n, sizeof(*records), mx_compare);
    return n;
}

size_t check_mx_list(const char *domain, const struct dns_answer *answer, struct arena *arena,
                     struct findings *findings, struct mx_record **ret_records)
{
    struct mx_record *records = arena_array(arena, answer->n_rdata + 1, sizeof(*records));
    size_t n;

    *ret_records = records;
    switch (answer->status) {
    case DNS_BOGUS:
        findings_add(findings, CHECK_MX_BOGUS, NULL, "DNSSEC refuses the MX records: %s",
                     answer->why);
        return 0;
    case DNS_FAILED:
        findings_add(findings, CHECK_MX_FAILED, NULL, "no answer for the MX records: %s",
                     answer->why);
        return 0;
    case DNS_NXDOMAIN:
        findings_add(findings, CHECK_MX_NO_DOMAIN, NULL, "DNS does not have the domain %s", domain);
        return 0;
    case DNS_NODATA:
        findings_add(findings, CHECK_MX_IMPLICIT, NULL, "%s has no MX record", domain);
        records[0].host = arena_copy(arena, slice_of(domain));
        records[0].sts = records[0].dane = MX_UNKNOWN;
        return 1;
    case DNS_OK:
        break;
    }
    n = mx_read_answer(answer, records, arena);
    if (mx_is_null(records, n)) {
        findings_add(findings, CHECK_MX_NULL, NULL, "%s takes no mail: its MX record is '.'",
                     domain);
        return 0;
    }
    if (n > MX_RECORDS_MAX) {
        findings_add(findings, CHECK_TOO_MANY_RECORDS, NULL,
                     "%s has %zu MX records, of which the first %d by preference are looked at",
                     domain, n, MX_RECORDS_MAX);
        n = MX_RECORDS_MAX;
    }
    for (size_t i = 0; i < n; i++)
        if (mx_is_address(records[i].host))
            findings_add(findings, CHECK_MX_ADDRESS, records[i].host,
                         "an MX record has an address instead of a host's name");
    return n;
}

/* A host below the wildcard's domain, but more than one label below it. */
static const char *mx_too_deep(struct slice pattern, const struct mx_record *records, size_t n)
{
    for (size_t i = 0; slice_starts_with(pattern, "*.") && i < n; i++) {
        struct slice host = slice_of(records[i].host), zone = slice_range(pattern, 1, pattern.len);

        if (!records[i].is_covered && host.len > zone.len &&
            slice_eq_nocase(slice_range(host, host.len - zone.len, host.len), zone))
            return records[i].host;
    }
    return NULL;
}

/* "mx.example.com" and "mx.example.net". */
static bool mx_differs_in_tld(struct slice a, struct slice b)
{
    const char *dot_a = memrchr(a.ptr, '.', a.len), *dot_b = memrchr(b.ptr, '.', b.len);

    return dot_a && dot_b &&
           slice_eq_nocase(slice_range(a, 0, (size_t)(dot_a - a.ptr)),
                           slice_range(b, 0, (size_t)(dot_b - b.ptr)));
}

/* The host that the pattern was likely meant to be, of those that nothing covers. */
static const char *mx_near_miss(struct slice pattern, const struct mx_record *records, size_t n)
{
    const char *names[MX_RECORDS_MAX];
    size_t n_names = 0;

    for (size_t i = 0; i < n; i++) {
        if (records[i].is_covered)
            continue;
        if (mx_differs_in_tld(pattern, slice_of(records[i].host)))
            return records[i].host;
        names[n_names++] = records[i].host;
    }
    return suggest_word(pattern, names, n_names);
}

static void mx_judge_pattern(struct slice pattern, const struct mx_record *records, size_t n,
                             struct findings *findings)
{
    char quoted[ERR_QUOTE_MAX], quoted_host[ERR_QUOTE_MAX];
    const char *deep = mx_too_deep(pattern, records, n);
    const char *near = mx_near_miss(pattern, records, n);

    err_quote(quoted, sizeof(quoted), pattern);
    if (deep)
        findings_add(findings, CHECK_MX_NEAR_MISS, NULL,
                     "mx %s covers no MX host: '*' stands for one label, and %s has more", quoted,
                     err_quote(quoted_host, sizeof(quoted_host), slice_of(deep)));
    else if (near)
        findings_add(findings, CHECK_MX_NEAR_MISS, NULL, "mx %s covers no MX host; was %s meant?",
                     quoted, err_quote(quoted_host, sizeof(quoted_host), slice_of(near)));
    else
        findings_add(findings, CHECK_MX_PATTERN_UNUSED, NULL, "mx %s covers no MX host", quoted);
}

static bool mx_pattern_is_used(struct slice pattern, const struct mx_record *records, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (mx_pattern_matches(pattern, slice_of(records[i].host)))
            return true;
    return false;
}

/* "'a.example', 'b.example' and 3 more", in the arena. */
static const char *mx_hosts_text(const struct mx_record *records, size_t n, struct arena *arena)
{
    enum { SHOWN = 3 };
    char quoted[ERR_QUOTE_MAX], text[(SHOWN + 1) * ERR_QUOTE_MAX];
    size_t len = 0;

    for (size_t i = 0; i < n && i < SHOWN; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? ", " : "",
                                err_quote(quoted, sizeof(quoted), slice_of(records[i].host)));
    if (n > SHOWN)
        snprintf(text + len, sizeof(text) - len, " and %zu more", n - SHOWN);
    return arena_copy(arena, slice_of(text));
}

void check_mx_judge_down(const struct mx_record *records, size_t n, struct findings *findings)
{
    size_t n_reached = 0;

    for (size_t i = 0; i < n; i++)
        n_reached += records[i].is_reached;
    for (size_t i = 0; n_reached > 0 && i < n; i++)
        if (records[i].is_down)
            findings_add(findings, CHECK_MX_HOST_DOWN, records[i].host,
                         "the MX host takes no connection on port 25; %zu of the domain's others "
                         "%s",
                         n_reached, n_reached == 1 ? "does" : "do");
}

void check_mx_judge(struct mx_record *records, size_t n, const struct policy *policy,
                    struct arena *arena, struct findings *findings)
{
    size_t n_covered = 0;

    if (policy->mode == POLICY_MODE_NONE || n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        records[i].is_covered = policy_covers(policy, slice_of(records[i].host));
        n_covered += records[i].is_covered;
    }
    if (n_covered == 0)
        findings_add(findings, CHECK_MX_ALL_ELSEWHERE, NULL, "the policy covers no MX host; %s %s",
                     n == 1 ? "the MX host is" : "the MX hosts are",
                     mx_hosts_text(records, n, arena));
    for (size_t i = 0; n_covered > 0 && i < n; i++)
        if (!records[i].is_covered)
            findings_add(findings, CHECK_MX_NOT_IN_POLICY, records[i].host,
                         "no mx of the policy covers this MX host");
    for (size_t i = 0; i < policy->n_mx; i++)
        if (!mx_pattern_is_used(policy->mx[i], records, n))
            mx_judge_pattern(policy->mx[i], records, n, findings);
}
