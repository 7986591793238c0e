/* SPDX-License-Identifier: MIT */
#include "reports/report_parse.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "reports/inflate.h"
#include "reports/report_mail.h"
#include "reports/report_part.h"
#include "reports/tls_report.h"

/* What each member of a report says; "-" is NULL or unknown. */
static void print_member(FILE *out, const char *text)
{
    fprintf(out, " %s", text ? text : "-");
}

static void print_count(FILE *out, int64_t count)
{
    if (count == UNKNOWN_COUNT)
        fputs(" -", out);
    else
        fprintf(out, " %lld", (long long)count);
}

static void print_lines(FILE *out, const char *const *lines, size_t n)
{
    fputs(" [", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i > 0 ? "|" : "", lines[i]);
    fputs("]", out);
}

static void print_failure(FILE *out, const struct tls_failure *failure)
{
    fputs(" (", out);
    fputs(failure->result_type ? failure->result_type : "-", out);
    print_count(out, failure->n_sessions);
    print_member(out, failure->sending_ip);
    print_member(out, failure->receiving_host);
    print_member(out, failure->receiving_helo);
    print_member(out, failure->receiving_ip);
    print_member(out, failure->reason);
    print_member(out, failure->information);
    fputs(")", out);
}

static void print_policy(FILE *out, const struct tls_policy *policy)
{
    static const char *const types[] = {"STS", "TLSA", "NONE", "OTHER"};

    fprintf(out, "; %s", types[policy->type]);
    print_member(out, policy->type_text);
    print_member(out, policy->domain);
    print_lines(out, policy->strings, policy->n_strings);
    print_lines(out, policy->mx_hosts, policy->n_mx_hosts);
    print_count(out, policy->n_successful);
    print_count(out, policy->n_failed);
    for (size_t i = 0; i < policy->n_failures; i++)
        print_failure(out, &policy->failures[i]);
}

/* The caller frees. */
static char *said(struct slice body, const char *domain_hint)
{
    struct arena *arena = arena_new(0);
    const struct tls_report *report;
    struct slice json;
    struct err err;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (inflate_body(body, arena, &json, &err) != 0 ||
        report_parse(json, slice_of(domain_hint), arena, &report, &err) != 0) {
        fprintf(out, "!%s", err.msg);
    } else {
        fputs(report->organization ? report->organization : "-", out);
        print_member(out, report->contact);
        print_member(out, report->report_id);
        print_count(out, report->start_unix_s);
        print_count(out, report->end_unix_s);
        for (size_t i = 0; i < report->n_policies; i++)
            print_policy(out, &report->policies[i]);
    }
    fclose(out);
    arena_free(arena);
    return text;
}

#define ORGANIZATION "Synthetic Sender"
#define CONTACT " tlsrpt@sender.example"
#define ID " syn-1@sender.example"
#define START " 1767225600"
#define DATES START " 1767311999"
#define HEAD ORGANIZATION CONTACT ID DATES
#define LINES " [version: STSv1|mode: testing|mx: mx.example.net|max_age: 86400] [mx.example.net]"
#define ABOUT "; STS sts example.net" LINES
#define PLACE " 192.0.2.7 mx.example.net - 198.51.100.9 cert expired"
#define FAILURE " (certificate-expired 2" PLACE " -)"
#define OK HEAD ABOUT " 10 2" FAILURE

/* The vectors: each as its name says. */
static const struct {
    const char *name, *want;
} vectors[] = {
    {"abnf-names.json",
     HEAD ABOUT " 10 2 (certificate-expired 2" PLACE " https://sender.example/x)"},
    {"bom.json", OK},
    {"bomb-20MiB-spaces.json.gz", "!has 20427 bytes, but more than 4150936 when decompressed"},
    {"counts-2pow63.json", HEAD ABOUT " - 2" FAILURE},
    {"counts-float.json", OK},
    {"counts-null.json", HEAD ABOUT " 10 -" FAILURE},
    {"dates-epoch-number.json", OK},
    {"dates-no-tz.json", OK},
    {"dates-year-9999.json", ORGANIZATION CONTACT ID START " 253402300799" ABOUT " 10 2" FAILURE},
    {"details-sum-exceeds-summary.json", HEAD ABOUT " 10 2 (certificate-expired 99" PLACE " -)"},
    {"empty.json", "!is empty"},
    {"failure-details-object.json", OK},
    {"gz-bad-crc.json.gz", "!is damaged gzip data: incorrect data check"},
    {"gz-is-really-json.json.gz", OK},
    {"gz-truncated.json.gz", "!is gzip data that is cut off"},
    {"invalid-utf8.json",
     "Synth\xef\xbf\xbd\xef\xbf\xbd Sender" CONTACT ID DATES ABOUT " 10 2" FAILURE},
    {"labelled-json-is-gzip.eml", OK},
    {"lone-surrogate.json", "x\xef\xbf\xbdy" CONTACT ID DATES ABOUT " 10 2" FAILURE},
    {"multi-domain.json", OK "; STS sts other.example" LINES " 10 2" FAILURE
                             "; STS sts not-mine.example" LINES " 10 2" FAILURE},
    {"not-a-report.eml", "ordinary mail"},
    {"octet-stream.eml", OK},
    {"ok.eml", OK},
    {"ok.json", OK},
    {"ok.json.gz", OK},
    {"org-control-chars.json",
     "evil\nJan  1 00:00:00 host sshd: forged\x1b[31m<script>alert(1)</script>" CONTACT ID DATES
         ABOUT " 10 2" FAILURE},
    {"plain-json-8bit.eml", OK},
    {"policies-object.json", OK},
    {"policy-domain-upper-dot.json", OK},
    {"policy-string-string.json", OK},
    {"report-id-number.json", ORGANIZATION CONTACT " 12345" DATES ABOUT " 10 2" FAILURE},
    {"single-part.eml", OK},
    {"summary-missing.json", HEAD ABOUT " - -" FAILURE},
    {"trailing-garbage.json", OK},
    {"unknown-result-type.json", HEAD ABOUT " 10 2 (sts-quantum-invalid 2" PLACE " -)"},
};

static int take_part(void *context, const struct report_part *part, struct err *err)
{
    char **text = context;

    (void)err;
    assert_null(part->fault);
    free(*text);
    *text = said(part->bytes, "");
    return 0;
}

static char *said_by_mail(struct slice mail)
{
    struct report_mail_reader *reader = report_mail_reader_new(NULL);
    char *text = strdup("ordinary mail");
    const struct report_taker taker = {.take = take_part, .context = &text};
    struct err err;
    size_t n;

    assert_int_equal(report_mail_read(reader, mail, &taker, &n, &err), 0);
    assert_in_range(n, 0, 1);
    report_mail_reader_free(reader);
    return text;
}

static void check_vector(const char *name, const char *want)
{
    struct arena *arena = arena_new(0);
    char path[PATH_MAX], *seen;
    struct slice bytes;
    struct err err;

    snprintf(path, sizeof(path), "%s/vectors/tlsrpt/%s", TEST_DATA, name);
    assert_int_equal(file_read(path, 1 << 20, arena, &bytes, &err), 0);
    seen = slice_ends_with(slice_of(name), ".eml") ? said_by_mail(bytes) : said(bytes, "");
    if (strcmp(seen, want) != 0)
        fail_msg("%s: wanted %s, saw %s", name, want, seen);
    free(seen);
    arena_free(arena);
}

static void test_vectors(void **state)
{
    DIR *directory = opendir(TEST_DATA "/vectors/tlsrpt");
    const struct dirent *entry;
    size_t n_files = 0;

    (void)state;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        n_files += entry->d_name[0] != '.';
    closedir(directory);
    assert_int_equal(n_files, ARRAY_LEN(vectors));
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++)
        check_vector(vectors[i].name, vectors[i].want);
}

struct shape_row {
    const char *hint, *json, *want;
};

static void check_shapes(const struct shape_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *seen = said(slice_of(rows[i].json), rows[i].hint);

        if (strcmp(seen, rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
}

/* Retyped from what these senders send. */
static void test_senders(void **state)
{
    static const struct shape_row rows[] = {
        /* Google: no failure-details, no mx-host, max_age before mx */
        {"",
         "{\"organization-name\":\"Google Inc.\",\"date-range\":{"
         "\"start-datetime\":\"2026-01-01T00:00:00Z\","
         "\"end-datetime\":\"2026-01-01T23:59:59Z\"},"
         "\"contact-info\":\"smtp-tls-reporting@google.com\","
         "\"report-id\":\"2026-01-01T00:00:00Z_example.com\",\"policies\":["
         "{\"policy\":{\"policy-type\":\"no-policy-found\",\"policy-domain\":\"example.com\"},"
         "\"summary\":{\"total-successful-session-count\":1,"
         "\"total-failure-session-count\":0}},"
         "{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[\"version: STSv1\","
         "\"mode: testing\",\"max_age: 86400\",\"mx: a.example.com\"],"
         "\"policy-domain\":\"example.com\"},\"summary\":{"
         "\"total-successful-session-count\":3,\"total-failure-session-count\":2},"
         "\"failure-details\":[{\"result-type\":\"validation-failure\","
         "\"sending-mta-ip\":\"192.0.2.1\",\"receiving-ip\":\"2001:db8:0:0::1\","
         "\"receiving-mx-hostname\":\"a.example.com\",\"failed-session-count\":2}]}]}",
         "Google Inc. smtp-tls-reporting@google.com 2026-01-01T00:00:00Z_example.com" DATES
         "; NONE no-policy-found example.com [] [] 1 0"
         "; STS sts example.com [version: STSv1|mode: testing|max_age: 86400|mx: a.example.com] [] "
         "3 2 (validation-failure 2 192.0.2.1 a.example.com - 2001:db8::1 - -)"},
        /* Microsoft: no zone, JSON in the policy-string, sessions both as sts and as tlsa */
        {"",
         "{\"organization-name\":\"Microsoft Corporation\",\"date-range\":{"
         "\"start-datetime\":\"2026-01-01T00:00:00\",\"end-datetime\":\"2026-01-01T23:59:59\"},"
         "\"contact-info\":\"tlsrpt-noreply@microsoft.com\","
         "\"report-id\":\"133944884956529435+\",\"policies\":["
         "{\"policy\":{\"policy-type\":\"tlsa\",\"policy-string\":"
         "[\"[\\\"3 1 1 AB\\\",\\\"3 1 1 CD\\\"]\"],\"policy-domain\":\"example.com\"},"
         "\"summary\":{\"total-successful-session-count\":2,"
         "\"total-failure-session-count\":0}},"
         "{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"example.com\"},"
         "\"summary\":{\"total-successful-session-count\":0,"
         "\"total-failure-session-count\":1},\"failure-details\":["
         "{\"result-type\":\"sts-policy-fetch-error\",\"failed-session-count\":1}]}]}",
         "Microsoft Corporation tlsrpt-noreply@microsoft.com 133944884956529435+" DATES
         "; TLSA tlsa example.com [3 1 1 AB|3 1 1 CD] [] 2 0"
         "; STS sts example.com [] [] 0 1 (sts-policy-fetch-error 1 - - - - - -)"},
        /* Stalwart: null and [] for all that is not said */
        {"",
         "{\"organization-name\":\"mail.example\",\"date-range\":{"
         "\"start-datetime\":\"2026-01-01T00:00:00Z\","
         "\"end-datetime\":\"2026-01-02T00:00:00Z\"},"
         "\"contact-info\":null,\"report-id\":\"1767225600_8234923\",\"policies\":["
         "{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[],"
         "\"policy-domain\":\"example.com\",\"mx-host\":[]},\"summary\":{"
         "\"total-successful-session-count\":1,\"total-failure-session-count\":1},"
         "\"failure-details\":[{\"result-type\":\"certificate-expired\","
         "\"sending-mta-ip\":null,\"receiving-mx-hostname\":null,\"receiving-mx-helo\":null,"
         "\"receiving-ip\":null,\"failed-session-count\":1,\"additional-information\":null,"
         "\"failure-reason-code\":null}]}]}",
         "mail.example - 1767225600_8234923" START " 1767312000"
         "; STS sts example.com [] [] 1 1 (certificate-expired 1 - - - - - -)"},
        /* Postfix by sys4's reporter: no policy-domain, no result-type */
        {"",
         "{\"policies\":[{\"summary\":{\"total-successful-session-count\":0,"
         "\"total-failure-session-count\":1},\"policy\":{\"policy-type\":\"no-policy-found\"},"
         "\"failure-details\":[{\"failed-session-count\":1}]}],"
         "\"report-id\":\"2025-09-20T00:00:00Z_idx1_Example.COM\"}",
         "- - 2025-09-20T00:00:00Z_idx1_Example.COM - -"
         "; NONE no-policy-found example.com [] [] 0 1 (- 1 - - - - - -)"},
        /* Halon: an empty policy-string, failures without details */
        {"",
         "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":\"\","
         "\"policy-domain\":\"example.com\"},\"summary\":{"
         "\"total-successful-session-count\":0,\"total-failure-session-count\":4},"
         "\"failure-details\":[]}]}",
         "- - - - -; STS sts example.com [] [] 0 4"},
        /* SocketLabs: a key of its own, no space behind the colons */
        {"",
         "{\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":["
         "\"version:STSv1\",\"mode:testing\\r\"],\"policy-domain\":\"example.com\","
         "\"mx-host\":[\"mx: a.example.com\"]},\"summary\":{"
         "\"total-successful-session-count\":\"12\",\"total-failure-session-count\":1},"
         "\"failure-details\":[{\"result-type\":\"Testing\",\"sending-mta-ip\":\"x.x.x.x\","
         "\"receiving-mx-host-name\":\"a.example.com\",\"failed-session-count\":1}]}]}",
         "- - - - -; STS sts example.com [version:STSv1|mode:testing] [a.example.com] 12 1 "
         "(Testing 1 - a.example.com - - - -)"},
        /* mox: empty texts for what is not said */
        {"",
         "{\"policies\":[{\"policy\":{\"policy-type\":\"tlsa\",\"policy-domain\":"
         "\"mx.example.com\",\"mx-host\":\"mx.example.com\"},\"summary\":{"
         "\"total-successful-session-count\":0,\"total-failure-session-count\":1},"
         "\"failure-details\":[{\"result-type\":\"tlsa-invalid\",\"receiving-ip\":\"\","
         "\"receiving-mx-helo\":\"mx\",\"failure-error-code\":\"x\","
         "\"failed-session-count\":1}]}]}",
         "- - - - -; TLSA tlsa mx.example.com [] [mx.example.com] 0 1 "
         "(tlsa-invalid 1 - - mx - x -)"},
    };

    (void)state;
    check_shapes(rows, ARRAY_LEN(rows));
}

#define BARE(about) "{\"policies\":[{\"policy\":{" about "}}]}"

static void test_shapes(void **state)
{
    static const struct shape_row rows[] = {
        {"", "{}", "!is no TLS report: it has no 'policies'"},
        {"", "{\"policies\":null}", "!is no TLS report: it has no 'policies'"},
        {"", "{\"policies\":\"x\"}", "!is no TLS report: it has no 'policies'"},
        {"", "{\"policies\":[]}", "!is no TLS report: it has no 'policies'"},
        {"", "{\"policies\":[1,null,[]]}", "- - - - -"},
        {"", "{\"policies\":[{}]}", "- - - - -; OTHER - - [] [] - -"},
        {"",
         "{\"policies\":[{\"policy\":[],\"summary\":7,\"failure-details\":[1,{}]}],"
         "\"date-range\":null,\"report-id\":[]}",
         "- - - - -; OTHER - - [] [] - - (- - - - - - - -)"},
        {"", "{\"a\" 1}", "!is no JSON from byte 8 on"},
        {"", "{\"policies\":[{}],\"report-id\":\"a\",\"report-id\":\"b\"}",
         "- - b - -; OTHER - - [] [] - -"},
        {"", BARE("\"policy-type\":\"STS\""), "- - - - -; STS STS - [] [] - -"},
        {"", BARE("\"policy-type\":\"dane\""), "- - - - -; OTHER dane - [] [] - -"},
        {"",
         BARE("\"policy-domain\":\"b\xc3\xbc"
              "cher.example\""),
         "- - - - -; OTHER - xn--bcher-kva.example [] [] - -"},
        {"hint.example", BARE("\"policy-domain\":\"a..b\""), "- - - - -; OTHER - - [] [] - -"},
        {"Hint.example", BARE("\"policy-domain\":\" \""),
         "- - - - -; OTHER - hint.example [] [] - -"},
        {"hint.example", "{\"policies\":[{}],\"report-id\":\"x_tail.example\"}",
         "- - x_tail.example - -; OTHER - hint.example [] [] - -"},
        {"-", "{\"policies\":[{}],\"report-id\":\"x_tail.example\"}",
         "- - x_tail.example - -; OTHER - tail.example [] [] - -"},
        {"", "{\"policies\":[{}],\"report-id\":\"x_tail\"}", "- - x_tail - -; OTHER - - [] [] - -"},
        {"",
         "{\"policies\":[{\"summary\":{\"total-successful-session-count\":9007199254740992,"
         "\"total-failure-session-count\":9007199254740993}}]}",
         "- - - - -; OTHER - - [] [] 9007199254740992 -"},
        {"",
         "{\"policies\":[{\"summary\":{\"total-successful-session-count\":-1,"
         "\"total-failure-session-count\":1.5}}]}",
         "- - - - -; OTHER - - [] [] - -"},
        {"",
         "{\"policies\":[{\"summary\":{\"total-successful-session-count\":true,"
         "\"total-failure-session-count\":\"3.00\"}}]}",
         "- - - - -; OTHER - - [] [] - 3"},
    };

    (void)state;
    check_shapes(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_senders),
        cmocka_unit_test(test_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
