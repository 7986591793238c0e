/* SPDX-License-Identifier: MIT */
#include "reports/reports_conditions.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/state/condition.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "support/folder.h"
#include "support/loaded.h"
#include "support/stored.h"

#define FINDING(severity, code)                                                                \
    "{\"severity\": \"" severity "\", \"code\": \"" code                                       \
    "\", \"subject\": null, \"text\": \"two\\tparts\", \"meaning\": \"m\", \"advice\": \"a\"," \
    " \"source\": \"s\"}"
#define SERVES(domain, mode, max_age)                                                            \
    "1700000000 serves " domain " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " mode " " max_age " " domain \
    " - - mx1." domain "\n"

enum {
    SERVED_S = 1700000000,
    HOUR_S = 60 * 60,
};

static struct config *config;
static struct stored stored;
static struct ledger *ledger;
static struct domain_reports_source source;

static int set_up(void **state)
{
    static const char lines[] =
        LEDGER_HEAD SERVES("a.example", "testing", "86400") SERVES("b.example", "none", "86400");
    struct err err;

    (void)state;
    config =
        loaded_config("policy_host: {name: p.example}\n"
                      "domains: {a.example: {mx: [mx1.a.example]}, b.example: {mode: none}}\n");
    folder_open();
    stored_open(&stored);
    assert_int_equal(ledger_read_bytes(slice_of(lines), NULL, NULL, &ledger, &err), 0);
    source = (struct domain_reports_source){.database = stored.database,
                                            .config = config,
                                            .ledger = ledger,
                                            .now_unix_s = SERVED_S + HOUR_S,
                                            .days = 14};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ledger_free(ledger);
    stored_close(&stored);
    folder_close();
    config_unref(config);
    return 0;
}

/* Writes the list; by a check that ended at a time, unless that is 0. */
static void list(int64_t checked_unix_s)
{
    struct check_results *checks = NULL;
    struct err err;

    if (checked_unix_s > 0) {
        const struct timespec times[2] = {{.tv_sec = checked_unix_s}, {.tv_sec = checked_unix_s}};

        folder_write(
            CHECK_RESULTS_FILE,
            "{\"domains\": [\n{\"domain\": \"a.example\", \"verdict\": \"absent\", "
            "\"findings\": [" FINDING("error", "txt-missing") ", " FINDING(
                "error", "mx-unreachable") ", " FINDING("warning", "txt-several") "]}\n]}");
        assert_int_equal(utimensat(AT_FDCWD, folder_path(CHECK_RESULTS_FILE), times, 0), 0);
        assert_int_equal(check_results_read(folder_root, &checks, &err), 0);
    }
    source.checks = checks;
    if (reports_conditions_write(&source, folder_path(CONDITIONS_FILE), &err) != 0)
        fail_msg("%s", err.msg);
    check_results_free(checks);
}

static void test_without_check(void **state)
{
    (void)state;
    list(0);
    folder_expect(CONDITIONS_FILE, "known\tverdict\nknown\tremoval\nopen\tverdict\ta.example\t");
    assert_int_equal(folder_count(CONDITIONS_FILE, "\tcheck\n"), 0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "\tdns"), 0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "recheck"), 0);
}

/* Live DNS is given an hour after a change; other errors are not, and warnings are none of it. */
static void test_errors(void **state)
{
    (void)state;
    list(SERVED_S + HOUR_S - 1);
    folder_expect(CONDITIONS_FILE, "known\tdns\nknown\tcheck\n");
    folder_expect(CONDITIONS_FILE, "unclear\tdns\ta.example\n");
    folder_expect(CONDITIONS_FILE, "recheck\t1700003600\n");
    folder_expect(CONDITIONS_FILE, "open\tcheck\ta.example\tmx-unreachable\ttwo parts: m\ta\n");
    assert_int_equal(folder_count(CONDITIONS_FILE, "txt-"), 0);
    list(SERVED_S + HOUR_S);
    folder_expect(CONDITIONS_FILE, "open\tdns\ta.example\ttxt-missing\ttwo parts: m\ta\n");
    folder_expect(CONDITIONS_FILE, "open\tcheck\ta.example\tmx-unreachable\t");
    assert_int_equal(folder_count(CONDITIONS_FILE, "unclear"), 0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "recheck"), 0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "txt-several"), 0);
}

/* A domain may go when no sender holds its policy, and never by a ledger that is damaged. */
static void test_removal(void **state)
{
    static const char damaged[] = LEDGER_HEAD SERVES("b.example", "none", "86400") "what is this\n";
    struct ledger *whole = ledger;
    struct err err;

    (void)state;
    list(0);
    assert_int_equal(
        folder_count(CONDITIONS_FILE, "open\tremoval\t"),
        ledger_held_until(ledger_find(ledger, slice_of("b.example")), source.now_unix_s) == 0);
    source.now_unix_s = SERVED_S + 30 * 86400;
    list(0);
    folder_expect(CONDITIONS_FILE, "open\tremoval\tb.example\tremovable\t");
    assert_int_equal(folder_count(CONDITIONS_FILE, "removal\ta.example"), 0);
    assert_int_equal(ledger_read_bytes(slice_of(damaged), NULL, NULL, &ledger, &err), 0);
    source.ledger = ledger;
    list(0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "open\tremoval\t"), 0);
    source.ledger = NULL;
    list(0);
    assert_int_equal(folder_count(CONDITIONS_FILE, "open\tremoval\t"), 0);
    ledger_free(whole);
}

static void test_directory_that_is_missing(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(reports_conditions_write(&source, folder_path("none/conditions"), &err), -1);
    assert_int_equal(err.code, ERR_IO);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_FOLDER(test_without_check),
        IN_FOLDER(test_errors),
        IN_FOLDER(test_removal),
        IN_FOLDER(test_directory_that_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
