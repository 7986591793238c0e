/* SPDX-License-Identifier: MIT */
#include "lib/state/ledger_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef"

static void test_round_trip(void **state)
{
    static const char *const lines[] = {
        "1764370000 serves example.com " ID " enforce 604800 example.com - own mx1.x,*.mx2.x\n",
        "1764370000 serves sub.example.com " ID " testing 86400 example.com sts.x - mx.x\n",
        "1764370000 serves example.com " ID " none 86400 example.com sts.x sts.x -\n",
        "0 fetchable example.com\n",
        "1764970000 ends example.com\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct ledger_line line;
        char *printed;
        size_t len;
        FILE *out = open_memstream(&printed, &len);

        assert_true(
            ledger_line_parse(slice_range(slice_of(lines[i]), 0, strlen(lines[i]) - 1), &line));
        ledger_line_print(&line, out);
        fclose(out);
        assert_string_equal(printed, lines[i]);
        free(printed);
    }
}

static void test_fields(void **state)
{
    struct ledger_line line;

    (void)state;
    assert_true(ledger_line_parse(
        slice_of("7 serves a.example " ID " enforce 60 b.example - sts.example mx"), &line));
    assert_int_equal(line.at_unix_s, 7);
    assert_int_equal(line.policy.mode, POLICY_ENFORCE);
    assert_int_equal(line.policy.max_age_s, 60);
    assert_true(slice_eq_text(line.policy.zone, "b.example"));
    assert_int_equal(line.policy.mta_sts_zone.len, 0);
    assert_true(line.policy.has_tls_rpt);
    assert_true(slice_eq_text(line.policy.tls_rpt_zone, "sts.example"));
}

static void test_damaged(void **state)
{
    static const char *const lines[] = {
        "",
        "1764370000",
        "1764370000 serves",
        "x fetchable example.com",
        "-1 fetchable example.com",
        "1 fetchable ",
        "1 fetchable example.com more",
        "1 fetched example.com",
        "1  fetchable example.com",
        "1 serves a.example 0123 enforce 60 a.example - - mx",
        "1 serves a.example " ID " ENFORCE 60 a.example - - mx",
        "1 serves a.example " ID " enforce 31557601 a.example - - mx",
        "1 serves a.example " ID " enforce 60",
        "1 serves a.example " ID " enforce 60 a.example - - mx 1764370000 ends b.example",
    };
    struct ledger_line line;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (ledger_line_parse(slice_of(lines[i]), &line))
            fail_msg("taken: %s", lines[i]);
}

static void test_policies(void **state)
{
    struct ledger_line a, b;

    (void)state;
    ledger_line_parse(slice_of("1 serves a.example " ID " enforce 60 a.example - - mx"), &a);
    ledger_line_parse(slice_of("2 serves b.example " ID " enforce 60 a.example - - mx"), &b);
    assert_true(ledger_policy_eq(&a.policy, &b.policy));
    ledger_line_parse(slice_of("2 serves b.example " ID " enforce 60 a.example - own mx"), &b);
    assert_false(ledger_policy_eq(&a.policy, &b.policy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
