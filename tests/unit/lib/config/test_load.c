/* SPDX-License-Identifier: MIT */
#include "lib/config/load.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/config/config.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

#define DATA TEST_DATA "/config/"

/* The findings that a data file expects: the comments at its beginning, without the "# ". */
static char *expectations(const char *path)
{
    struct arena *arena = arena_new(0);
    struct slice rest;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct err err;

    if (file_read(path, CONFIG_FILE_MAX, arena, &rest, &err) != 0)
        fail_msg("%s %s", path, err.msg);
    while (slice_starts_with(rest, "# bad/") || slice_starts_with(rest, "# warn/")) {
        size_t end = slice_find_byte(rest, '\n');

        fprintf(out, "%.*s\n", SLICE_ARG(slice_range(rest, 2, end)));
        rest = slice_range(rest, end + 1, rest.len);
    }
    fclose(out);
    arena_free(arena);
    return text;
}

enum outcome {
    OUTCOME_REFUSED,
    OUTCOME_LOADED,
};

static bool check_file(const char *path, enum outcome outcome)
{
    struct diag *diag = diag_new(&config_findings);
    struct config *config = config_load(path, diag);
    char *want = expectations(path);
    char *seen = fixture_findings(diag, DATA, "");
    bool good = fixture_equal(path, want, seen);

    if ((config != NULL) != (outcome == OUTCOME_LOADED)) {
        print_error("%s: %s\n", path, config ? "was not refused" : "was refused");
        good = false;
    }
    free(want);
    free(seen);
    config_unref(config);
    diag_free(diag);
    return good;
}

static void check_folder(const char *pattern, enum outcome outcome)
{
    size_t n_failed = 0;
    glob_t files = {0};

    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        n_failed += !check_file(files.gl_pathv[i], outcome);
    if (n_failed > 0)
        fail_msg("%zu of %zu files failed", n_failed, files.gl_pathc);
    globfree(&files);
}

static void test_bad(void **state)
{
    (void)state;
    check_folder(DATA "bad/*.yaml", OUTCOME_REFUSED);
}

static void test_warn(void **state)
{
    (void)state;
    check_folder(DATA "warn/*.yaml", OUTCOME_LOADED);
}

static void test_good(void **state)
{
    (void)state;
    check_folder(DATA "good/*.yaml", OUTCOME_LOADED);
}

/* Certificates, programs and the user are not looked at when a configuration is loaded. */
static bool is_about_the_machine(enum finding finding)
{
    return finding == FINDING_USER_UNKNOWN || finding == FINDING_RELOAD_UNREADABLE ||
           finding == FINDING_PROGRAM_UNUSABLE ||
           slice_starts_with(slice_of(finding_row(finding)->code), "certificate-");
}

/* Each finding has a file that shows it. */
static void test_every_finding_has_a_file(void **state)
{
    bool is_shown[FINDING_COUNT] = {false};
    glob_t files = {0};

    (void)state;
    assert_int_equal(glob(DATA "*/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *text = expectations(files.gl_pathv[i]);

        for (int code = FINDING_NONE + 1; code < FINDING_COUNT; code++) {
            char printed[64];

            snprintf(printed, sizeof(printed), " [%s]\n", finding_row((enum finding)code)->code);
            is_shown[code] = is_shown[code] || strstr(text, printed);
        }
        free(text);
    }
    globfree(&files);
    for (int code = FINDING_NONE + 1; code < FINDING_COUNT; code++)
        if (!is_shown[code] && !is_about_the_machine((enum finding)code))
            fail_msg("no data file shows %s", finding_row((enum finding)code)->code);
}

static void test_no_file(void **state)
{
    struct diag *diag = diag_new(&config_findings);
    char *seen;

    (void)state;
    assert_null(config_load(DATA "none.yaml", diag));
    assert_null(config_load(DATA "bad", diag));
    seen = fixture_findings(diag, DATA, "");
    assert_string_equal(
        seen, "bad: error: the file cannot be read: Is a directory [file-unreadable]\n"
              "none.yaml: error: the file cannot be read: No such file or directory; name the "
              "configuration by --config FILE "
              "[file-unreadable]\n");
    free(seen);
    diag_free(diag);
}

static void test_standard_input(void **state)
{
    struct fixture fixture = fixture_open(slice_of("domains: {example.com: {mx: [a.example]}}\n"
                                                   "workers: many\n"));
    struct diag *diag = diag_new(&config_findings);
    int old = dup(STDIN_FILENO);
    char *seen;

    (void)state;
    lseek(fixture.fd, 0, SEEK_SET);
    dup2(fixture.fd, STDIN_FILENO);
    assert_null(config_load("-", diag));
    dup2(old, STDIN_FILENO);
    close(old);
    seen = fixture_findings(diag, "-unused-", "");
    assert_string_equal(seen, "<stdin>:2:10: error: workers: 'many' is not a number between 1 and "
                              "256, or auto [bad-value]\n");
    free(seen);
    fixture_close(&fixture);
    diag_free(diag);
}

/* Files that could hold up a daemon that serves, above all a pipe that nobody writes to. */
static void test_regular(void **state)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {DATA "bad", "bad: error: the file cannot be read: Is a directory [file-unreadable]\n"},
        {"/dev/zero", "/dev/zero: error: the file is not a regular file, so to read it might "
                      "never end [file-unreadable]\n"},
        {"-", "<stdin>: error: the file is standard input, which can be read only once "
              "[file-unreadable]\n"},
    };
    struct diag *diag = diag_new(&config_findings);
    struct config *config =
        config_load_with(DATA "good/minimal.yaml", LOAD_SETTLED | LOAD_REGULAR, diag);
    int n_failed = 0;

    (void)state;
    assert_non_null(config);
    config_unref(config);
    diag_free(diag);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen;

        diag = diag_new(&config_findings);
        assert_null(config_load_with(rows[i].path, LOAD_SETTLED | LOAD_REGULAR, diag));
        seen = fixture_findings(diag, DATA, "");
        n_failed += !fixture_equal(rows[i].path, rows[i].want, seen);
        free(seen);
        diag_free(diag);
    }
    assert_int_equal(n_failed, 0);
}

/* Only what cannot be read may hide the key: other errors do not. */
static void test_control_is_guess(void **state)
{
    static const struct {
        const char *path;
        bool is_guess;
    } cases[] = {
        {DATA "good/minimal.yaml", false},
        {DATA "bad/duplicate-domain.yaml", false},
        {DATA "bad/syntax-bracket.yaml", true},
        {DATA "no-such-file.yaml", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_guess;
        char *control = config_load_control(cases[i].path, &is_guess);

        if (is_guess != cases[i].is_guess)
            fail_msg("row %zu: %s", i, control);
        free(control);
    }
}

/* Nobody writes to the pipe: to open it for reading would never end. */
static void test_control_of_pipe(void **state)
{
    char directory[] = "/tmp/test_load.XXXXXX", path[sizeof(directory) + sizeof("/pipe")];
    struct config *config;
    struct diag *diag = diag_new(&config_findings);
    bool is_guess;
    char *control;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/pipe", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(10);
    control = config_load_control(path, &is_guess);
    assert_true(is_guess);
    alarm(0);
    config = config_load(DATA "good/minimal.yaml", diag);
    assert_string_equal(control, config->control);
    config_unref(config);
    diag_free(diag);
    free(control);
    unlink(path);
    rmdir(directory);
}

/* An error that was added before the load refuses the configuration too. */
static void test_earlier_error(void **state)
{
    struct diag *diag = diag_new(&config_findings);

    (void)state;
    diag_add(diag, FINDING_BAD_VALUE, (struct place){0}, NULL, "earlier");
    assert_null(config_load(DATA "good/minimal.yaml", diag));
    assert_int_equal(diag_count(diag, LEVEL_ERROR), 1);
    diag_free(diag);
}

static void test_counted(void **state)
{
    static const struct {
        const char *path;
        size_t n_domains;
    } rows[] = {
        {DATA "good/minimal.yaml", 1},
        {DATA "good/domain-list.yaml", 4},
        {DATA "bad/mx-missing.yaml", 8},
        {DATA "none.yaml", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag *diag = diag_new(&config_findings);
        size_t seen = 77;

        config_unref(config_load_counted(rows[i].path, diag, &seen));
        if (seen != rows[i].n_domains)
            fail_msg("row %zu: saw %zu", i, seen);
        diag_free(diag);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_warn),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_every_finding_has_a_file),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_regular),
        cmocka_unit_test(test_control_is_guess),
        cmocka_unit_test(test_control_of_pipe),
        cmocka_unit_test(test_earlier_error),
        cmocka_unit_test(test_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
