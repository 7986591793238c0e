/* SPDX-License-Identifier: MIT */
#include "reports/check_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

#define FINDING                                                                                \
    "{\"severity\": \"error\", \"code\": \"txt-missing\", \"subject\": null, \"text\": \"t\"," \
    " \"meaning\": \"m\", \"advice\": \"a\", \"source\": \"s\"}"
#define DOMAIN "{\"domain\": \"a.example\", \"verdict\": \"absent\", \"findings\": [" FINDING "]}"

static char directory[] = "/tmp/check-results-XXXXXX";

static const char *results_path(void)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s/" CHECK_RESULTS_FILE, directory);
    return path;
}

static int read_text(const char *text, struct check_results **ret_results, struct err *err)
{
    FILE *out = fopen(results_path(), "we");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return check_results_read(directory, ret_results, err);
}

static void test_find(void **state)
{
    struct check_results *results;
    const struct checked_domain *found;
    struct err err;

    (void)state;
    assert_int_equal(read_text("{\n  \"domains\": [\n" DOMAIN ",\n{\"domain\": \"b.example\"},"
                               "{}, " DOMAIN "\n], \"checked\": 3}\n",
                               &results, &err),
                     0);
    found = check_results_find(results, "a.example");
    assert_non_null(found);
    assert_string_equal(found->verdict, "absent");
    assert_int_equal(found->n_findings, 1);
    assert_string_equal(found->findings[0].kind->code, "txt-missing");
    assert_null(found->findings[0].subject);
    assert_string_equal(found->text, ""); /* a member that is missing */
    assert_int_equal(check_results_find(results, "b.example")->n_findings, 0);
    assert_null(check_results_find(results, "c.example"));
    assert_true(check_results_at_unix_s(results) > 0);
    check_results_free(results);
}

static void test_nothing(void **state)
{
    struct check_results *results;
    struct err err;

    (void)state;
    assert_int_equal(read_text("{\"domains\": []}", &results, &err), 0);
    assert_null(check_results_find(results, "a.example"));
    check_results_free(results);
    unlink(results_path());
    assert_int_equal(check_results_read(directory, &results, &err), 0);
    assert_null(results);
    check_results_free(NULL);
}

static void test_damage(void **state)
{
    static const char *const rows[] = {
        "",
        "{}",
        "[]",
        "{\"domains\"",
        "{\"domains\": [",
        "{\"domains\": [" DOMAIN,
        "{\"domains\": [" DOMAIN ",",
        "{\"domains\": [{\"domain\": ]",
        "{\"other\": [" DOMAIN "]}",
        "{\"domains\": [\"\\ud800\"]}",
    };
    struct check_results *results = NULL;
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (read_text(rows[i], &results, &err) == 0 || err.code != ERR_SYNTAX)
            fail_msg("row %zu: '%s' was read", i, rows[i]);
    unlink(results_path());
    assert_int_equal(mkdir(results_path(), 0700), 0);
    assert_int_equal(check_results_read(directory, &results, &err), -1);
    rmdir(results_path());
}

/* A domain with a great many findings costs no more than some. */
static void test_many(void **state)
{
    struct check_results *results;
    struct err err;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    fputs("{\"domains\": [{\"domain\": \"a.example\", \"findings\": [", out);
    for (int i = 0; i < 1000; i++)
        fprintf(out, "%s" FINDING, i > 0 ? "," : "");
    fputs("]}]}", out);
    fclose(out);
    assert_int_equal(read_text(text, &results, &err), 0);
    assert_int_equal(check_results_find(results, "a.example")->n_findings, 50);
    check_results_free(results);
    free(text);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(results_path());
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_damage), cmocka_unit_test(test_many)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
