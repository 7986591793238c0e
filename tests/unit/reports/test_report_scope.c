/* SPDX-License-Identifier: MIT */
#include "reports/report_scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/ledger.h"
#include "support/loaded.h"

#define SERVES(domain) \
    "10 serves " domain " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa testing 86400 " domain " - - mx1\n"

static const char yaml[] = "policies: {standard: {mx: [mx1.example.net, '*.example.org']}}\n"
                           "domains:\n"
                           "  example.com: standard\n"
                           "  b.example: standard\n"
                           "  c.example: {tls_rpt: ['mailto:a@c.example'], mta_sts: false}\n";
static const char lines[] = LEDGER_HEAD SERVES("left.example") "1000 ends left.example\n" SERVES(
    "served.example") "10 fetchable odd.example\n";

static void test_has(void **state)
{
    static const struct {
        const char *domain;
        int64_t now_unix_s;
        bool is_ours;
    } rows[] = {
        {"example.com", 0, true},
        {"c.example", 0, true},
        {"d.example", 0, false},
        {"a.example.com", 0, false},
        {"mx1.example.net", 0, true},
        {"mx2.example.net", 0, false},
        {"mx2.example.org", 0, true},
        {"example.org", 0, false},
        {"a.b.example.org", 0, false},
        {".example.org", 0, false},
        {"*.example.org", 0, true},
        {"org", 0, false},
        {"", 0, false},
        {"left.example", 1000 + REPORT_SCOPE_ENDED_S, true},
        {"left.example", 1001 + REPORT_SCOPE_ENDED_S, false},
        {"served.example", 1001 + REPORT_SCOPE_ENDED_S, true},
        {"odd.example", 0, false},
    };
    struct config *config = loaded_config(yaml);
    struct ledger *ledger;
    struct err err;

    (void)state;
    assert_int_equal(ledger_read_bytes(slice_of(lines), NULL, NULL, &ledger, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct report_scope *scope = report_scope_new(config, ledger, rows[i].now_unix_s);

        if (report_scope_has(scope, rows[i].domain) != rows[i].is_ours)
            fail_msg("row %zu: expected %d", i, rows[i].is_ours);
        report_scope_free(scope);
    }
    report_scope_free(NULL);
    ledger_free(ledger);
    config_unref(config);
}

static void test_long_name(void **state)
{
    struct config *config = loaded_config(yaml);
    struct report_scope *scope = report_scope_new(config, NULL, 0);
    char name[600];

    (void)state;
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 10 == 9 ? '.' : 'a';
    name[sizeof(name) - 1] = '\0';
    assert_false(report_scope_has(scope, name));
    report_scope_free(scope);
    config_unref(config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_has),
                                              cmocka_unit_test(test_long_name)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
