/* SPDX-License-Identifier: MIT */
#include "reports/reports_members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/base/slice.h"
#include "reports/domain_reports.h"

#define MISSING "\"google.com\", \"microsoft.com\", \"mail.ru\""

static char *members_of(const struct domain_reports *reports)
{
    char *seen;
    size_t len;
    struct json_writer writer = {.out = open_memstream(&seen, &len)};

    json_begin_object(&writer, JSON_ON_ONE_LINE);
    reports_members_print_reasons(&reports->verdict, JSON_ON_ONE_LINE, &writer);
    reports_members_print_missing(&reports->tally, &writer);
    reports_members_print_fetchers(reports, JSON_ON_ONE_LINE, &writer);
    json_end_object(&writer);
    fclose(writer.out);
    return seen;
}

static void test_nothing(void **state)
{
    struct domain_reports reports = {.domain = "example.com"};
    char *seen = members_of(&reports);

    (void)state;
    assert_string_equal(seen, "{\"reasons\": [], \"missing_reporters\": [" MISSING
                              "], \"fetchers\": []}");
    free(seen);
}

/* A policy that is served since 100 was fetched by who came then or later. */
static void test_fetchers(void **state)
{
    static const struct policy_fetcher list[] = {
        {FETCH_SENDER_GOOGLE, 3, 50, 100, "192.0.2.0/24"},
        {FETCH_SENDER_GO, 1, 99, 99, "-"},
    };
    static const struct {
        int64_t since_unix_s;
        const char *first, *second;
    } rows[] = {{100, "true", "false"}, {0, "null", "null"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct domain_reports reports = {.domain = "example.com",
                                         .fetchers = {list, ARRAY_LEN(list)},
                                         .served_since_unix_s = rows[i].since_unix_s};
        char *seen = members_of(&reports), want[600];

        snprintf(want, sizeof(want),
                 "{\"reasons\": [], \"missing_reporters\": [" MISSING "], \"fetchers\": ["
                 "{\"sender\": \"google\", \"name\": \"Google\", \"fetches\": 3, "
                 "\"first_unix\": 50, \"last_unix\": 100, \"prefix\": \"192.0.2.0/24\", "
                 "\"has_current\": %s}, "
                 "{\"sender\": \"go\", \"name\": \"a sender in Go (mox, chasquid, maddy)\", "
                 "\"fetches\": 1, \"first_unix\": 99, \"last_unix\": 99, \"prefix\": null, "
                 "\"has_current\": %s}]}",
                 rows[i].first, rows[i].second);
        assert_string_equal(seen, want);
        free(seen);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing),
                                              cmocka_unit_test(test_fetchers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
