/* SPDX-License-Identifier: MIT */
#include "reports/report_parse.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/dns/name.h"
#include "reports/json_tidy.h"
#include "reports/report_date.h"
#include "reports/report_lines.h"
#include "reports/tls_report.h"

#define COUNT_MAX (UINT64_C(1) << 53) /* RFC 7493 2.2 */

struct report_parser {
    struct arena *arena;
    const char *fallback_domain; /* NULL: there is none */
};

/* A member by the first of two names that has a value; `other` may be NULL. */
static const json_t *member_find(const json_t *object, const char *name, const char *other)
{
    const json_t *value = json_object_get(object, name);

    return value && !json_is_null(value) ? value : other ? json_object_get(object, other) : NULL;
}

/* Empty if it is no text. */
static struct slice member_slice(const json_t *object, const char *name, const char *other)
{
    return slice_trim(slice_of(json_string_value(member_find(object, name, other))));
}

/* NULL if it is no text, or an empty one, which says no more. */
static const char *member_text(const struct report_parser *parser, const json_t *object,
                               const char *name, const char *other)
{
    struct slice text = member_slice(object, name, other);

    return text.len > 0 ? arena_copy(parser->arena, text) : NULL;
}

/* Some write "12.0". */
static int64_t member_count(const json_t *object, const char *name)
{
    struct slice text = member_slice(object, name, NULL);
    size_t point = slice_find_byte(text, '.');
    uint64_t count, fraction = 0;

    if (slice_to_u64(slice_range(text, 0, point), COUNT_MAX, &count) != 0)
        return UNKNOWN_COUNT;
    if (point < text.len && slice_to_u64(slice_range(text, point + 1, text.len), 0, &fraction) != 0)
        return UNKNOWN_COUNT;
    return (int64_t)count;
}

static int64_t member_date(const json_t *object, const char *name)
{
    int64_t unix_s;

    return report_date_parse(member_slice(object, name, NULL), &unix_s) == 0 ? unix_s
                                                                             : UNKNOWN_COUNT;
}

/* In the one form that inet_ntop() writes; NULL if it is none, as the "x.x.x.x" of some. */
static const char *member_address(const struct report_parser *parser, const json_t *object,
                                  const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    char buffer[INET6_ADDRSTRLEN];
    struct in6_addr address;
    int family = text && strchr(text, ':') ? AF_INET6 : AF_INET;

    if (!text || inet_pton(family, text, &address) != 1)
        return NULL;
    return arena_copy(parser->arena, slice_of(inet_ntop(family, &address, buffer, sizeof(buffer))));
}

/* NULL if it is no domain name. */
static const char *domain_of(struct slice text, struct arena *arena)
{
    char name[DNS_NAME_MAX + 1];
    struct err err;

    if (dns_name_parse(slice_trim(text), name, NULL, &err) != 0)
        return NULL;
    return arena_copy(arena, slice_of(name));
}

/* The elements of an array, or the one object that stands in place of it. */
static size_t items_count(const json_t *value)
{
    return json_is_object(value) ? 1 : json_array_size(value);
}

static const json_t *items_get(const json_t *value, size_t index)
{
    return json_is_object(value) ? value : json_array_get(value, index);
}

static struct tls_failure report_parse_failure(const struct report_parser *parser,
                                               const json_t *item)
{
    return (struct tls_failure){
        .result_type = member_text(parser, item, "result-type", NULL),
        .sending_ip = member_address(parser, item, "sending-mta-ip"),
        .receiving_host =
            member_text(parser, item, "receiving-mx-hostname", "receiving-mx-host-name"),
        .receiving_helo = member_text(parser, item, "receiving-mx-helo", NULL),
        .receiving_ip = member_address(parser, item, "receiving-ip"),
        .information = member_text(parser, item, "additional-information", "additional-info-uri"),
        .reason = member_text(parser, item, "failure-reason-code", "failure-error-code"),
        .n_sessions = member_count(item, "failed-session-count"),
    };
}

static void report_parse_failures(const struct report_parser *parser, const json_t *items,
                                  struct tls_policy *policy)
{
    struct tls_failure *failures =
        arena_array(parser->arena, items_count(items), sizeof(*failures));

    for (size_t i = 0; i < items_count(items); i++)
        if (json_is_object(items_get(items, i)))
            failures[policy->n_failures++] = report_parse_failure(parser, items_get(items, i));
    policy->failures = failures;
}

static enum tls_policy_type policy_type_of(const char *text)
{
    static const char *const names[] = {
        [TLS_POLICY_STS] = "sts",
        [TLS_POLICY_TLSA] = "tlsa",
        [TLS_POLICY_NONE] = "no-policy-found",
    };

    for (size_t i = 0; text && i < ARRAY_LEN(names); i++)
        if (slice_eq_nocase(slice_of(text), slice_of(names[i])))
            return (enum tls_policy_type)i;
    return TLS_POLICY_OTHER;
}

static struct tls_policy report_parse_policy(const struct report_parser *parser, const json_t *item)
{
    const json_t *about = json_object_get(item, "policy");
    const json_t *summary = json_object_get(item, "summary");
    struct slice domain = member_slice(about, "policy-domain", NULL);
    struct tls_policy policy = {
        .type_text = member_text(parser, about, "policy-type", NULL),
        .domain = domain.len > 0 ? domain_of(domain, parser->arena) : parser->fallback_domain,
        .n_successful = member_count(summary, "total-successful-session-count"),
        .n_failed = member_count(summary, "total-failure-session-count"),
    };

    policy.type = policy_type_of(policy.type_text);
    report_lines_of_policy(json_object_get(about, "policy-string"), parser->arena, &policy.strings,
                           &policy.n_strings);
    report_lines_of_mx(member_find(about, "mx-host", "mx-host-pattern"), parser->arena,
                       &policy.mx_hosts, &policy.n_mx_hosts);
    report_parse_failures(parser, json_object_get(item, "failure-details"), &policy);
    return policy;
}

/* Postfix's reporter leaves the domain out, but ends its report ids in it: "..Z_idx1_example.com".
 */
static const char *fallback_domain(struct slice hint, const char *report_id, struct arena *arena)
{
    const char *tail = report_id ? strrchr(report_id, '_') : NULL;
    const char *domain = hint.len > 0 ? domain_of(hint, arena) : NULL;

    if (!domain && tail && strchr(tail, '.'))
        domain = domain_of(slice_of(tail + 1), arena);
    return domain;
}

static const struct tls_report *report_parse_root(const json_t *root, struct slice domain_hint,
                                                  struct arena *arena)
{
    const json_t *dates = json_object_get(root, "date-range");
    const json_t *items = json_object_get(root, "policies");
    struct tls_report *report = arena_alloc(arena, sizeof(*report));
    struct tls_policy *policies = arena_array(arena, items_count(items), sizeof(*policies));
    struct report_parser parser = {.arena = arena};

    report->organization = member_text(&parser, root, "organization-name", NULL);
    report->contact = member_text(&parser, root, "contact-info", NULL);
    report->report_id = member_text(&parser, root, "report-id", NULL);
    report->start_unix_s = member_date(dates, "start-datetime");
    report->end_unix_s = member_date(dates, "end-datetime");
    parser.fallback_domain = fallback_domain(domain_hint, report->report_id, arena);
    for (size_t i = 0; i < items_count(items); i++)
        if (json_is_object(items_get(items, i)))
            policies[report->n_policies++] = report_parse_policy(&parser, items_get(items, i));
    report->policies = policies;
    return report;
}

int report_parse(struct slice json, struct slice domain_hint, struct arena *arena,
                 const struct tls_report **ret_report, struct err *err)
{
    json_error_t error;
    struct slice tidy;
    json_t *root;

    if (json_tidy(json, arena, &tidy, err) != 0)
        return -1;
    root = json_loadb(tidy.ptr, tidy.len, 0, &error);
    if (!root)
        return err_set(err, ERR_SYNTAX, "is no JSON from byte %d on", error.position);
    if (items_count(json_object_get(root, "policies")) == 0) {
        json_decref(root);
        return err_set(err, ERR_SYNTAX, "is no TLS report: it has no 'policies'");
    }
    *ret_report = report_parse_root(root, domain_hint, arena);
    json_decref(root);
    return 0;
}
