/* SPDX-License-Identifier: MIT */
#include "check/check_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <getopt.h>

#include "lib/base/slice.h"

static int parse(struct check_options *options, const char *const *arguments)
{
    char *argv[8] = {(char *)(uintptr_t) "mta-stsd-check"};
    int argc = 1;

    while (arguments[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
        argc++;
    }
    optind = 0;
    return check_options_parse(argc, argv, options);
}

static void test_taken(void **state)
{
    struct check_options options;

    (void)state;
    assert_int_equal(parse(&options, (const char *[]){NULL}), 0);
    assert_int_equal(options.mode, CHECK_MODE_CHECK);
    assert_null(options.config_path);
    assert_int_equal(options.n_jobs, 32);
    assert_int_equal(options.timeout_s, 60);
    assert_int_equal(
        parse(&options, (const char *[]){"--check", "--jobs", "512", "-c", "x", "--json", NULL}),
        0);
    assert_int_equal(options.n_jobs, 512);
    assert_string_equal(options.config_path, "x");
    assert_true(options.has_json);
    assert_int_equal(parse(&options, (const char *[]){"--timeout=1", "--quiet", NULL}), 0);
    assert_int_equal(options.timeout_s, 1);
    assert_true(options.is_quiet);
    assert_int_equal(parse(&options, (const char *[]){"--list-checks", NULL}), 0);
    assert_int_equal(options.mode, CHECK_MODE_LIST);
}

static void test_domains(void **state)
{
    const char *const arguments[] = {"--check", "a.example", "--nagios", "b.example", NULL};
    struct check_options options;

    (void)state;
    assert_int_equal(parse(&options, arguments), 0);
    assert_int_equal(options.n_domains, 2);
    assert_true(options.has_nagios);
}

static void test_refused(void **state)
{
    static const char *const rows[][4] = {
        {"--jobs", "0"},
        {"--jobs", "513"},
        {"--timeout", "601"},
        {"--timeout", "x"},
        {"--jsn"},
        {"--wholly-different"},
        {"--config"},
        {"--json", "--nagios"},
        {"--list-checks", "a.example"},
    };
    struct check_options options;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (parse(&options, rows[i]) != -1)
            fail_msg("row %zu is taken", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken), cmocka_unit_test(test_domains),
                                       cmocka_unit_test(test_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
