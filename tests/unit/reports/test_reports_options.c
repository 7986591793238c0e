/* SPDX-License-Identifier: MIT */
#include "reports/reports_options.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* Also fills what was printed on standard error. */
static int parse_line(struct reports_options *options, const char *const *arguments,
                      char said[static 256])
{
    static char *argv[8]; /* what the options point to */
    int argc = 1, saved = dup(STDERR_FILENO), result;
    FILE *out = tmpfile();
    size_t len;

    argv[0] = (char *)(uintptr_t) "mta-stsd-reports";
    while (arguments[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
        argc++;
    }
    optind = 0;
    dup2(fileno(out), STDERR_FILENO);
    result = reports_options_parse(argc, argv, options);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(out);
    len = fread(said, 1, 255, out);
    said[len] = '\0';
    fclose(out);
    return result;
}

static void test_taken(void **state)
{
    struct reports_options options;
    char said[256];

    (void)state;
    assert_int_equal(parse_line(&options, (const char *[]){NULL}, said), 0);
    assert_int_equal(options.mode, REPORTS_MODE_SHOW);
    assert_string_equal(options.config_path, "/etc/mta-stsd/mta-stsd.yaml");
    assert_int_equal(options.days, 30);
    assert_int_equal(options.n_arguments, 0);
    assert_false(options.has_json || options.has_failures || options.has_raw);
    assert_int_equal(parse_line(&options,
                                (const char *[]){"--reports", "a.example", "--days=400", "-c", "x",
                                                 "--failures", "--json", NULL},
                                said),
                     0);
    assert_int_equal(options.days, 400);
    assert_string_equal(options.config_path, "x");
    assert_true(options.has_json && options.has_failures);
    assert_int_equal(options.n_arguments, 1);
    assert_string_equal(options.arguments[0], "a.example");
    assert_int_equal(
        parse_line(&options, (const char *[]){"--import-report", "a", "b", NULL}, said), 0);
    assert_int_equal(options.mode, REPORTS_MODE_IMPORT);
    assert_int_equal(options.n_arguments, 2);
    assert_int_equal(parse_line(&options, (const char *[]){"--spool", NULL}, said), 0);
    assert_int_equal(options.mode, REPORTS_MODE_SPOOL);
    assert_int_equal(parse_line(&options, (const char *[]){"--raw", "a.example", NULL}, said), 0);
    assert_true(options.has_raw);
    assert_int_equal(parse_line(&options, (const char *[]){"--help", NULL}, said), 0);
    assert_int_equal(options.mode, REPORTS_MODE_HELP);
    assert_int_equal(parse_line(&options, (const char *[]){"--version", NULL}, said), 0);
    assert_int_equal(options.mode, REPORTS_MODE_VERSION);
}

static void test_refused(void **state)
{
    static const struct {
        const char *arguments[4];
        const char *want;
    } rows[] = {
        {{"--days", "0"}, "--days: expected a number from 1 to 400, found '0'"},
        {{"--days", "401"}, "--days: expected a number from 1 to 400, found '401'"},
        {{"--days", "x"}, "--days: expected a number from 1 to 400, found 'x'"},
        {{"--days"}, "--days needs a value; see --help"},
        {{"--dayz"}, "--dayz is not an option; did you mean --days?"},
        {{"--wholly-different"}, "--wholly-different is not an option; see --help"},
        {{"--spool", "a"}, "a is one argument too many; see --help"},
        {{"--spool", "--json"}, "--json, --failures and --raw go with --reports; see --help"},
        {{"--import-report", "--raw"},
         "--json, --failures and --raw go with --reports; see --help"},
        {{"--raw", "--failures"}, "--raw and --failures do not go together; see --help"},
        {{"--raw", "a", "b"}, "b is one argument too many for --raw; see --help"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reports_options options;
        char said[256], want[256];

        snprintf(want, sizeof(want), "mta-stsd-reports: %s\n", rows[i].want);
        if (parse_line(&options, rows[i].arguments, said) == 0 || strcmp(said, want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, want, said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
