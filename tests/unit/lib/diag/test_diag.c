/* SPDX-License-Identifier: MIT */
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

typedef void printer(struct diag *diag, FILE *out);

/* What `print` prints, to be freed. */
static char *printed(struct diag *diag, printer *print)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    print(diag, out);
    fclose(out);
    return text;
}

static void print_errors(struct diag *diag, FILE *out)
{
    diag_print(diag, LEVEL_ERROR, out);
}

static void print_warnings(struct diag *diag, FILE *out)
{
    diag_print(diag, LEVEL_WARNING, out);
}

static void print_notes(struct diag *diag, FILE *out)
{
    diag_print(diag, LEVEL_NOTE, out);
}

static void check_printed(struct diag *diag, printer *print, const char *want)
{
    char *seen = printed(diag, print);

    assert_string_equal(seen, want);
    free(seen);
}

static void test_empty(void **state)
{
    struct diag *diag = diag_new(&config_findings);

    (void)state;
    check_printed(diag, print_notes, "");
    check_printed(diag, diag_print_json,
                  "{\"errors\": 0, \"warnings\": 0, \"notes\": 0, \"findings\": []}\n");
    assert_int_equal(diag_count(diag, LEVEL_ERROR), 0);
    assert_false(diag_has(diag, FINDING_SYNTAX));
    diag_free(diag);
    diag_free(NULL);
}

/* Each row belongs behind the one before it; they are added from the last to the first. */
static void test_order(void **state)
{
    static const struct {
        enum finding finding;
        struct place place;
        const char *path, *message;
    } rows[] = {
        {FINDING_SYNTAX, {NULL, 0, 0}, NULL, "a"},
        {FINDING_SYNTAX, {"a.yaml", 0, 0}, NULL, "a"},
        {FINDING_SYNTAX, {"a.yaml", 1, 1}, "domains", "a"},
        {FINDING_SYNTAX, {"a.yaml", 1, 2}, "domains", "a"},
        {FINDING_SYNTAX, {"a.yaml", 2, 1}, "domains", "a"},
        {FINDING_SYNTAX, {"a.yaml", 2, 1}, "domains", "b"},
        {FINDING_KEY_UNKNOWN, {"a.yaml", 2, 1}, NULL, "a"},
        {FINDING_SYNTAX, {"a.yaml", 10, 1}, NULL, "a"},
        {FINDING_SYNTAX, {"a.yaml", UINT32_MAX, UINT32_MAX}, NULL, "a"},
        {FINDING_SYNTAX, {"b.yaml", 1, 1}, NULL, "a"},
    };
    struct diag *diag = diag_new(&config_findings);

    (void)state;
    for (size_t i = ARRAY_LEN(rows); i > 0; i--)
        diag_add(diag, rows[i - 1].finding, rows[i - 1].place, rows[i - 1].path, "%s",
                 rows[i - 1].message);
    check_printed(diag, print_notes,
                  "error: a [syntax]\n"
                  "a.yaml: error: a [syntax]\n"
                  "a.yaml:1:1: error: domains: a [syntax]\n"
                  "a.yaml:1:2: error: domains: a [syntax]\n"
                  "a.yaml:2:1: error: domains: a [syntax]\n"
                  "a.yaml:2:1: error: domains: b [syntax]\n"
                  "a.yaml:2:1: error: a [unknown-key]\n"
                  "a.yaml:10:1: error: a [syntax]\n"
                  "a.yaml:4294967295:4294967295: error: a [syntax]\n"
                  "b.yaml:1:1: error: a [syntax]\n");
    diag_free(diag);
}

static struct diag *one_of_each_level(void)
{
    struct diag *diag = diag_new(&config_findings);

    diag_add(diag, FINDING_POLICY_UNUSED, (struct place){"f", 3, 1}, NULL, "n");
    diag_add(diag, FINDING_BODY_LONG, (struct place){"f", 2, 1}, NULL, "w");
    diag_add(diag, FINDING_SYNTAX, (struct place){"f", 1, 1}, NULL, "e");
    return diag;
}

static void test_levels(void **state)
{
    struct diag *diag = one_of_each_level();

    (void)state;
    check_printed(diag, print_errors, "f:1:1: error: e [syntax]\n");
    check_printed(diag, print_warnings,
                  "f:1:1: error: e [syntax]\nf:2:1: warning: w [body-long]\n");
    check_printed(diag, print_notes,
                  "f:1:1: error: e [syntax]\nf:2:1: warning: w [body-long]\n"
                  "f:3:1: note: n [policy-unused]\n");
    for (int level = 0; level < LEVEL_COUNT; level++)
        assert_int_equal(diag_count(diag, (enum level)level), 1);
    assert_true(diag_has(diag, FINDING_SYNTAX));
    assert_false(diag_has(diag, FINDING_KEY_UNKNOWN));
    diag_free(diag);
}

static void test_json(void **state)
{
    struct diag *diag = diag_new(&config_findings);

    (void)state;
    diag_add(diag, FINDING_BODY_LONG, (struct place){NULL, 0, 0}, NULL, "b");
    diag_add(diag, FINDING_SYNTAX, (struct place){"f\"", 1, 2}, "domains.x", "%s", "it's \xff");
    check_printed(
        diag, diag_print_json,
        "{\"errors\": 1, \"warnings\": 1, \"notes\": 0, \"findings\": [\n"
        "  {\"level\": \"warning\", \"code\": \"body-long\", \"file\": null, \"line\": 0, "
        "\"column\": 0, \"path\": null, \"message\": \"b\", "
        "\"meaning\": \"the policy is above 4 KiB\"},\n"
        "  {\"level\": \"error\", \"code\": \"syntax\", \"file\": \"f\\\"\", \"line\": 1, "
        "\"column\": 2, \"path\": \"domains.x\", \"message\": \"it's \\ufffd\", "
        "\"meaning\": \"the file is not well-formed YAML\"}\n"
        "]}\n");
    diag_free(diag);
}

static void add_many(struct diag *diag, enum finding finding, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        diag_add(diag, finding, (struct place){"f", i, 1}, NULL, "x");
}

static size_t count_lines(const char *text, const char *containing)
{
    size_t count = 0;

    for (const char *found = text; (found = strstr(found, containing)); found++)
        count++;
    return count;
}

/* Whatever came first, a full list holds all the errors that fit. */
static void test_full(void **state)
{
    static const struct {
        uint32_t notes_before, errors, notes_after;
        size_t want_errors, want_notes;
        const char *want_end;
    } rows[] = {
        {0, DIAG_MAX, 0, DIAG_MAX, 0, "[syntax]\n"},
        {0, DIAG_MAX + 1, 0, DIAG_MAX, 0, "... and 1 more, not shown\n"},
        {0, DIAG_MAX * 10, 1, DIAG_MAX, 0, "... and 9001 more, not shown\n"},
        {0, DIAG_MAX, 1, DIAG_MAX, 0, "... and 1 more, not shown\n"},
        {DIAG_MAX, 1, 0, 1, DIAG_MAX - 1, "... and 1 more, not shown\n"},
        {1, DIAG_MAX, 0, DIAG_MAX, 0, "... and 1 more, not shown\n"},
        {DIAG_MAX + 5, DIAG_MAX + 5, 5, DIAG_MAX, 0, "... and 1015 more, not shown\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag *diag = diag_new(&config_findings);
        size_t errors, notes;
        char *seen;

        add_many(diag, FINDING_POLICY_UNUSED, rows[i].notes_before);
        add_many(diag, FINDING_SYNTAX, rows[i].errors);
        add_many(diag, FINDING_POLICY_UNUSED, rows[i].notes_after);
        assert_int_equal(diag_count(diag, LEVEL_ERROR), rows[i].errors);
        assert_int_equal(diag_count(diag, LEVEL_NOTE), rows[i].notes_before + rows[i].notes_after);
        seen = printed(diag, print_notes);
        errors = count_lines(seen, ": error: ");
        notes = count_lines(seen, ": note: ");
        if (errors != rows[i].want_errors || notes != rows[i].want_notes ||
            !slice_ends_with(slice_of(seen), rows[i].want_end))
            fail_msg("row %zu: wanted %zu errors, %zu notes and %s; saw %zu, %zu and %s", i,
                     rows[i].want_errors, rows[i].want_notes, rows[i].want_end, errors, notes,
                     seen + (strlen(seen) < 40 ? 0 : strlen(seen) - 40));
        free(seen);
        diag_free(diag);
    }
}

/* The caller's file names and paths may go. */
static void test_texts_are_copied(void **state)
{
    struct diag *diag = diag_new(&config_findings);
    char file[] = "a", path[] = "domains";

    (void)state;
    diag_add(diag, FINDING_SYNTAX, (struct place){file, 1, 1}, path, "1");
    diag_add(diag, FINDING_SYNTAX, (struct place){file, 2, 1}, path, "2");
    diag_add(diag, FINDING_SYNTAX, (struct place){"b", 1, 1}, NULL, "3");
    diag_add(diag, FINDING_SYNTAX, (struct place){file, 3, 1}, NULL, "4");
    diag_add(diag, FINDING_SYNTAX, (struct place){NULL, 0, 0}, NULL, "5");
    file[0] = 'z';
    path[0] = 'z';
    check_printed(diag, print_notes,
                  "error: 5 [syntax]\n"
                  "a:1:1: error: domains: 1 [syntax]\n"
                  "a:2:1: error: domains: 2 [syntax]\n"
                  "a:3:1: error: 4 [syntax]\n"
                  "b:1:1: error: 3 [syntax]\n");
    diag_free(diag);
}

static void test_long_message_is_cut(void **state)
{
    struct diag *diag = diag_new(&config_findings);
    char *seen;

    (void)state;
    diag_add(diag, FINDING_SYNTAX, (struct place){"f", 1, 1}, "domains", "%*s", 5000, "x");
    seen = printed(diag, print_notes);
    assert_true(slice_starts_with(slice_of(seen), "f:1:1: error: domains: "));
    assert_true(slice_ends_with(slice_of(seen), " [syntax]\n"));
    assert_in_range(strlen(seen), 1000, 1100);
    free(seen);
    diag_free(diag);
}

/* A program's own table, of more rows than a finding_set has bits. */
static void test_own_table(void **state)
{
    enum { N_ROWS = 100 };
    struct finding_row rows[N_ROWS];
    const struct finding_table table = {rows, N_ROWS};
    struct diag *diag;

    (void)state;
    for (size_t i = 0; i < N_ROWS; i++)
        rows[i] = (struct finding_row){"early", LEVEL_NOTE, "m"};
    rows[N_ROWS - 1] = (struct finding_row){"last", LEVEL_WARNING, "the last row"};
    diag = diag_new(&table);
    diag_add(diag, N_ROWS - 1, (struct place){NULL, 0, 0}, "example.com", "x");
    assert_true(diag_has(diag, N_ROWS - 1));
    for (unsigned i = 0; i < N_ROWS - 1; i++)
        assert_false(diag_has(diag, i));
    assert_int_equal(diag_count(diag, LEVEL_WARNING), 1);
    check_printed(diag, print_notes, "warning: example.com: x [last]\n");
    diag_free(diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_texts_are_copied),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_own_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
