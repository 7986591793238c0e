/* SPDX-License-Identifier: MIT */
/*
 * The body of a stranger's report: what is decompressed is an object within its bound. A report
 * that is parsed has texts of UTF-8, domains in stored form, and counts that are unknown or within
 * their range. It is the same again behind a byte order mark and before garbage.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/base/utf8.h"
#include "lib/dns/name.h"
#include "reports/inflate.h"
#include "reports/report_magic.h"
#include "reports/report_parse.h"
#include "reports/tls_report.h"

#include "require.h"

static void require_text(const char *text)
{
    if (!text)
        return;
    require(*text != '\0', "an empty text is none");
    require(utf8_is_valid(slice_of(text)), "a text is UTF-8");
}

static void require_count(int64_t count)
{
    require(count >= UNKNOWN_COUNT && count <= INT64_C(1) << 53, "a count is within its range");
}

static void require_lines(const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        require_text(lines[i]);
        require(!strchr(lines[i], '\n'), "a line is one line");
    }
}

static void require_policy(const struct tls_policy *policy)
{
    char name[DNS_NAME_MAX + 1];
    struct err err;

    require_text(policy->type_text);
    require(policy->type_text || policy->type == TLS_POLICY_OTHER, "a type has its text");
    if (policy->domain)
        require(dns_name_parse(slice_of(policy->domain), name, NULL, &err) == 0 &&
                    strcmp(policy->domain, name) == 0,
                "a domain is in stored form");
    require_lines(policy->strings, policy->n_strings);
    require_lines(policy->mx_hosts, policy->n_mx_hosts);
    require_count(policy->n_successful);
    require_count(policy->n_failed);
    for (size_t i = 0; i < policy->n_failures; i++) {
        const struct tls_failure *failure = &policy->failures[i];

        require_text(failure->result_type);
        require_text(failure->sending_ip);
        require_text(failure->receiving_host);
        require_text(failure->receiving_helo);
        require_text(failure->receiving_ip);
        require_text(failure->information);
        require_text(failure->reason);
        require_count(failure->n_sessions);
    }
}

static void require_report(const struct tls_report *report)
{
    require_text(report->organization);
    require_text(report->contact);
    require_text(report->report_id);
    require(report->start_unix_s >= UNKNOWN_COUNT && report->end_unix_s >= UNKNOWN_COUNT,
            "no date is before 1970");
    for (size_t i = 0; i < report->n_policies; i++)
        require_policy(&report->policies[i]);
}

static bool is_text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void require_same(const struct tls_report *a, const struct tls_report *b)
{
    require(is_text_equal(a->organization, b->organization) &&
                is_text_equal(a->report_id, b->report_id) && a->start_unix_s == b->start_unix_s &&
                a->n_policies == b->n_policies,
            "a report is the same again");
    for (size_t i = 0; i < a->n_policies; i++)
        require(is_text_equal(a->policies[i].domain, b->policies[i].domain) &&
                    a->policies[i].n_successful == b->policies[i].n_successful &&
                    a->policies[i].n_strings == b->policies[i].n_strings &&
                    a->policies[i].n_failures == b->policies[i].n_failures,
                "a policy is the same again");
}

/* The same JSON behind a byte order mark and before garbage. */
static void require_same_again(struct slice json, const struct tls_report *report,
                               struct arena *arena)
{
    size_t len = json.len + 4;
    char *bytes = arena_space(arena, len);
    const struct tls_report *again;
    struct err err;

    if (slice_starts_with(json, "\xef\xbb\xbf"))
        return;
    memcpy(bytes, "\xef\xbb\xbf", 3);
    memcpy(bytes + 3, json.ptr, json.len);
    bytes[len - 1] = '}';
    require(report_parse((struct slice){bytes, len}, slice_of("hint.example"), arena, &again,
                         &err) == 0,
            "what was parsed is parsed again");
    require_same(report, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = {(const char *)data, size}, json;
    struct arena *arena = arena_new(0);
    const struct tls_report *report;
    struct err err;

    if (inflate_body(body, arena, &json, &err) != 0) {
        require_message(&err);
    } else {
        require(json.len <= INFLATE_MAX, "the bound holds");
        require(report_magic_of(json) == REPORT_MAGIC_JSON, "an object is given");
        if (report_parse(json, slice_of("hint.example"), arena, &report, &err) != 0) {
            require_message(&err);
        } else {
            require_report(report);
            require_same_again(json, report, arena);
        }
    }
    arena_free(arena);
    return 0;
}
