/* SPDX-License-Identifier: MIT */
#include "check/check_txt.h"

#include <stdio.h>
#include <string.h>

#include "check/dns_source.h"
#include "check/findings.h"
#include "check/rdata.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/lookalike.h"
#include "lib/base/when.h"
#include "lib/dns/record.h"

enum {
    TTL_LONG_S = 24 * 60 * 60,
    TXT_STRING_MAX = 255,
};

#define VERSION "v=STSv1"

struct slice *check_txt_list(const struct dns_answer *answer, struct arena *arena, size_t *ret_n)
{
    struct slice *texts = arena_array(arena, answer->n_rdata + 1, sizeof(*texts));
    size_t n = 0;

    for (size_t i = 0; i < answer->n_rdata; i++)
        if (rdata_txt(answer->rdata[i], arena, &texts[n]) == 0)
            n++;
    *ret_n = n;
    return texts;
}

/* A person would call it an MTA-STS record, whatever is wrong with it. */
static bool txt_resembles(struct slice text)
{
    static const char word[] = "stsv1";
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (slice_eq_nocase(slice_range(text, i, i + len), slice_of(word)))
            return true;
    return false;
}

static size_t txt_count_like(const struct slice *texts, size_t n)
{
    size_t n_like = 0;

    for (size_t i = 0; i < n; i++)
        n_like += txt_resembles(texts[i]);
    return n_like;
}

static const struct slice *txt_first_like(const struct slice *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (txt_resembles(texts[i]))
            return &texts[i];
    return NULL;
}

/* The first record of an answer that looks like MTA-STS, or NULL. */
static const struct slice *txt_like_in(const struct dns_answer *answer, struct arena *arena)
{
    struct slice *texts;
    size_t n;

    if (!answer || answer->status != DNS_OK)
        return NULL;
    texts = check_txt_list(answer, arena, &n);
    return txt_first_like(texts, n);
}

const char *check_txt_doubled_target(const char *domain, const char *canonical, struct arena *arena)
{
    struct slice name = slice_of(canonical), zone = slice_of(domain);

    while (zone.len > 0) {
        struct slice meant =
            slice_range(name, 0, name.len > zone.len ? name.len - zone.len - 1 : 0);

        /* "policy.provider.example.example.com": the target has a dot of its own before the zone */
        if (meant.len > 0 && slice_ends_with(name, arena_copy(arena, zone)) &&
            name.ptr[meant.len] == '.' && slice_find_byte(meant, '.') < meant.len &&
            slice_find_byte(zone, '.') < zone.len)
            return arena_copy(arena, meant);
        zone = slice_range(zone, slice_find_byte(zone, '.') + 1, zone.len);
    }
    return NULL;
}

static void txt_judge_cname(const struct txt_facts *facts, struct arena *arena,
                            struct findings *findings)
{
    const char *meant = check_txt_doubled_target(facts->domain, facts->record->canonical, arena);
    char quoted[ERR_QUOTE_MAX], quoted_meant[ERR_QUOTE_MAX];

    err_quote(quoted, sizeof(quoted), slice_of(facts->record->canonical));
    if (meant)
        findings_add(findings, CHECK_TXT_CNAME_DOUBLED, NULL,
                     "_mta-sts.%s is a CNAME to %s, where no TXT record is; %s was likely meant",
                     facts->domain, quoted,
                     err_quote(quoted_meant, sizeof(quoted_meant), slice_of(meant)));
    else
        findings_add(findings, CHECK_TXT_CNAME_DANGLING, NULL,
                     "_mta-sts.%s is a CNAME to %s, where no TXT record is", facts->domain, quoted);
}

static void txt_judge_absent(const struct txt_facts *facts, struct arena *arena,
                             struct findings *findings)
{
    char own[DNS_NAME_MAX + sizeof(DNS_PREFIX_MTA_STS)];
    const char *domain = facts->domain;

    snprintf(own, sizeof(own), DNS_PREFIX_MTA_STS "%s", domain);
    if (txt_like_in(facts->doubled, arena))
        findings_add(findings, CHECK_TXT_DOUBLED_NAME, NULL,
                     "the record stands at _mta-sts.%s.%s, with the zone twice", domain, domain);
    else if (txt_like_in(facts->apex, arena))
        findings_add(findings, CHECK_TXT_WRONG_NAME, NULL,
                     "the record stands at %s instead of _mta-sts.%s", domain, domain);
    else if (txt_like_in(facts->underscore, arena))
        findings_add(findings, CHECK_TXT_WRONG_NAME, NULL,
                     "the record stands at mta-sts.%s, without the underscore", domain);
    else if (facts->record->canonical[0] && strcmp(facts->record->canonical, own) != 0 &&
             !facts->is_wildcard)
        txt_judge_cname(facts, arena, findings);
    else
        findings_add(findings, CHECK_TXT_MISSING, NULL, "there is no TXT record at _mta-sts.%s",
                     domain);
}

static void txt_judge_broken(struct slice text, const struct err *err, struct findings *findings)
{
    char quoted[ERR_QUOTE_MAX];
    size_t at = 0;
    const char *lookalike = lookalike_find(text, &at);

    err_quote(quoted, sizeof(quoted), text);
    if (slice_starts_with(text, "\"") || (lookalike && at == 0))
        findings_add(findings, CHECK_TXT_QUOTES, NULL, "the record begins with %s: %s",
                     lookalike ? lookalike : "a quote", quoted);
    else if (memmem(text.ptr, text.len, "\\;", 2) || memmem(text.ptr, text.len, "\\\"", 2))
        findings_add(findings, CHECK_TXT_BACKSLASH, NULL, "there is a backslash in the record: %s",
                     quoted);
    else
        findings_add(findings, CHECK_TXT_SYNTAX, NULL, "the record %s: %s", quoted, err->msg);
}

static bool txt_judge_records(const struct slice *texts, size_t n, struct findings *findings,
                              struct sts_record *ret_record)
{
    const struct slice *like = txt_first_like(texts, n);
    size_t n_like = txt_count_like(texts, n);
    struct err err;
    bool is_usable = sts_record_parse(texts, n, ret_record, &err) == 0;

    if (n_like == 0)
        findings_add(findings, CHECK_TXT_MISSING, NULL,
                     "%zu TXT record%s, none of which is an MTA-STS record", n, n == 1 ? "" : "s");
    else if (!is_usable && n_like > 1)
        findings_add(findings, CHECK_TXT_SEVERAL, NULL, "there are %zu MTA-STS records, not one",
                     n_like);
    else if (!is_usable)
        txt_judge_broken(*like, &err, findings);
    if (n_like > 0 && n > n_like)
        findings_add(findings, CHECK_TXT_OTHERS, NULL,
                     "%zu other TXT record%s beside the MTA-STS record", n - n_like,
                     n - n_like == 1 ? " stands" : "s stand");
    if (is_usable && ret_record->has_loose_version)
        findings_add(findings, CHECK_TXT_LOOSE_VERSION, NULL,
                     "there is a space before the first ';'");
    return is_usable;
}

void check_txt_judge_split(const char *prefix, const char *domain, const struct dns_answer *answer,
                           struct findings *findings)
{
    for (size_t i = 0; i < answer->n_rdata; i++) {
        struct slice rdata = answer->rdata[i];
        size_t n = rdata_txt_count(rdata);

        if (n > 1 && rdata.len - n <= TXT_STRING_MAX)
            findings_add(findings, CHECK_TXT_SPLIT, NULL,
                         "the record at %s%s has %zu strings, where one has room for all of it",
                         prefix, domain, n);
    }
}

static void txt_judge_wildcard(const struct txt_facts *facts, struct findings *findings)
{
    if (facts->is_wildcard && facts->record->status == DNS_OK)
        findings_add(findings, CHECK_TXT_WILDCARD, NULL,
                     "_mta-sts.%s has no record of its own: a wildcard in DNS has TXT records for "
                     "every name below %s",
                     facts->domain, facts->domain);
}

bool check_txt_judge(const struct txt_facts *facts, struct arena *arena, struct findings *findings,
                     struct sts_record *ret_record)
{
    const struct dns_answer *answer = facts->record;
    char duration[WHEN_SIZE];
    struct slice *texts;
    size_t n;

    txt_judge_wildcard(facts, findings);
    switch (answer->status) {
    case DNS_BOGUS:
        findings_add(findings, CHECK_TXT_BOGUS, NULL,
                     "DNSSEC refuses the answer for _mta-sts.%s: %s", facts->domain, answer->why);
        return false;
    case DNS_FAILED:
        findings_add(findings, CHECK_TXT_FAILED, NULL, "no answer for _mta-sts.%s: %s",
                     facts->domain, answer->why);
        return false;
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        txt_judge_absent(facts, arena, findings);
        return false;
    case DNS_OK:
        break;
    }
    texts = check_txt_list(answer, arena, &n);
    if (answer->ttl_s > TTL_LONG_S)
        findings_add(findings, CHECK_TXT_TTL_LONG, NULL, "the record's TTL is %s",
                     when_duration(answer->ttl_s, duration));
    if (!txt_judge_records(texts, n, findings, ret_record))
        return false;
    check_txt_judge_split(DNS_PREFIX_MTA_STS, facts->domain, answer, findings);
    return true;
}
