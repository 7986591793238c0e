/* SPDX-License-Identifier: MIT */
#include "reports/measured_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/state/ledger.h"
#include "reports/report_query.h"
#include "reports/report_store.h"

#define ID " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "

static void test_by_report(void **state)
{
    static const struct {
        const char *lines;
        size_t n_mx;
        enum policy_mode mode;
    } rows[] = {
        {"version: STSv1\nmode: testing\nmx: mx1.example.com\nmx: *.example.net", 2,
         POLICY_TESTING},
        {"version:STSv1\nmode:enforce\nmx:mx1.example.com", 1, POLICY_ENFORCE},
        {"version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r", 1, POLICY_MODE_NONE},
        {"MX: MX1.EXAMPLE.COM", 1, POLICY_MODE_COUNT},
        {"mode: other\n mx : mx1.example.com ", 1, POLICY_MODE_COUNT},
        {"mxx: mx1.example.com\nmx:\nmx", 0, POLICY_MODE_COUNT},
        {"", 0, POLICY_MODE_COUNT},
        {NULL, 0, POLICY_MODE_COUNT},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct report_entry entry = {.policy_lines = rows[i].lines};
        struct measured_policy policy = measured_policy_of(&entry, NULL, arena);

        if (policy.n_mx != rows[i].n_mx || policy.mode != rows[i].mode ||
            policy.is_known != (rows[i].n_mx > 0))
            fail_msg("row %zu: expected %zu mx and mode %d, found %zu and %d", i, rows[i].n_mx,
                     rows[i].mode, policy.n_mx, policy.mode);
        if (rows[i].n_mx > 0)
            assert_true(measured_policy_covers(&policy, slice_of("mx1.example.com")));
    }
    arena_free(arena);
}

/* The ledger knows it where one policy was served from midnight to midnight. */
static void test_by_ledger(void **state)
{
    static const char bytes[] =
        LEDGER_HEAD "172800 serves a.example" ID "testing 86400 a.example - - mx1,mx2\n"
                    "300000 serves a.example" ID "enforce 86400 a.example - - mx1\n";
    static const struct {
        int64_t day;
        size_t n_mx;
    } rows[] = {{1, 0}, {2, 2}, {3, 0}, {4, 1}, {5, 1}};
    struct arena *arena = arena_new(0);
    struct ledger *ledger;
    struct err err;

    (void)state;
    assert_int_equal(ledger_read_bytes(slice_of(bytes), NULL, NULL, &ledger, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct report_entry entry = {.day = rows[i].day};
        struct measured_policy policy =
            measured_policy_of(&entry, ledger_find(ledger, slice_of("a.example")), arena);

        if (policy.n_mx != rows[i].n_mx || policy.is_known != (rows[i].n_mx > 0))
            fail_msg("row %zu: expected %zu mx, found %zu", i, rows[i].n_mx, policy.n_mx);
    }
    ledger_free(ledger);
    arena_free(arena);
}

static void test_within(void **state)
{
    static const struct slice now[] = {SLICE_BYTES("mx1.example.com"),
                                       SLICE_BYTES("*.example.net")};
    static const struct {
        const char *lines;
        bool is_within;
    } rows[] = {
        {"mx: mx1.example.com", true},
        {"mx: MX1.example.com\nmx: *.example.net", true},
        {"mx: mx1.example.com\nmx: mx2.example.com", false},
        {"mx: a.example.net", false},
        {"mode: testing", false},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct report_entry entry = {.policy_lines = rows[i].lines};
        struct measured_policy policy = measured_policy_of(&entry, NULL, arena);

        if (measured_policy_is_within(&policy, now, ARRAY_LEN(now)) != rows[i].is_within)
            fail_msg("row %zu: expected %d", i, rows[i].is_within);
    }
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_report),
                                              cmocka_unit_test(test_by_ledger),
                                              cmocka_unit_test(test_within)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
