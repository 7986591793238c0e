/* SPDX-License-Identifier: MIT */
#include "lib/import/import_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/diag/diag.h"
#include "lib/import/import_finding.h"
#include "support/fixture.h"

#define POLICY(mx) "version: STSv1\r\nmode: enforce\r\nmx: " mx "\r\nmax_age: 86400\r\n"

struct set_under_test {
    struct import_set *set;
    struct diag *diag;
};

static void add_body(struct set_under_test *test, const char *domain, enum import_look look,
                     const char *body)
{
    const struct import_file file = {.shown = "it", .domain = domain, .look = look};

    import_set_add(test->set, &file, slice_of(body), test->diag);
}

static int setup_set(void **state)
{
    static struct set_under_test test;

    test = (struct set_under_test){import_set_new(), diag_new(&import_findings)};
    *state = &test;
    return 0;
}

static int teardown_set(void **state)
{
    struct set_under_test *test = *state;

    import_set_free(test->set);
    diag_free(test->diag);
    return 0;
}

static void test_changes(void **state)
{
    static const char other[] = "line ends, order, spacing, case or extra fields change";
    static const struct {
        const char *domain, *body, *want; /* NULL: the same bytes */
    } rows[] = {
        {"a.example", POLICY("mx.example"), NULL},
        {"b.example", POLICY("MX.example"), "mx becomes lower case"},
        {"c.example", "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n",
         "line ends become CRLF"},
        {"d.example", "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmax_age: 1",
         "line ends become CRLF"},
        {"e.example", "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1",
         "line ends become CRLF"},
        {"f.example", "version: STSv1\nmode: enforce\nmx: A.example\nmax_age: 1", other},
        {"g.example", "mode: enforce\r\nversion: STSv1\r\nmx: a.example\r\nmax_age: 1\r\n", other},
        {"h.example", "version: STSv1\r\nmode: enforce\r\nmx:a.example\r\nmax_age: 1\r\n", other},
        {"i.example", "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\nmax_age: 01\r\n", other},
    };
    struct set_under_test *test = *state;
    const struct import_domain *domains;
    size_t n;

    for (size_t i = ARRAY_LEN(rows); i-- > 0;)
        add_body(test, rows[i].domain, IMPORT_LOOKS_CERTAIN, rows[i].body);
    domains = import_set_domains(test->set, &n);
    assert_int_equal(n, ARRAY_LEN(rows));
    for (size_t i = 0; i < n; i++) {
        const char *seen = domains[i].change;

        assert_string_equal(domains[i].name, rows[i].domain);
        if (rows[i].want ? !seen || strcmp(seen, rows[i].want) != 0 : seen != NULL)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *domain, *body, *want;
    } rows[] = {
        {"a.example", "", "it: error: the policy is empty [policy-invalid]\n"},
        {NULL, POLICY("mx.example"), "[domain-unknown]\n"},
        {"a.example", "x: y\nversion: STSv1\nmx: a\nmx: \t*.com\nmode: enforce\nmax_age: 1\n",
         "it:4:6: error: mx '*.com' covers every domain below a public suffix"},
    };
    struct set_under_test *test = *state;
    size_t n;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag *diag = test->diag = (diag_free(test->diag), diag_new(&import_findings));
        char *seen;

        add_body(test, rows[i].domain, IMPORT_LOOKS_CERTAIN, rows[i].body);
        seen = fixture_findings(diag, "it", "it");
        if (!strstr(seen, rows[i].want))
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
        free(seen);
    }
    import_set_domains(test->set, &n);
    assert_int_equal(n, 0);
}

static void test_twice(void **state)
{
    struct set_under_test *test = *state;
    const struct import_domain *domains;
    size_t n;

    add_body(test, "b.example", IMPORT_LOOKS_CERTAIN, POLICY("mx.example"));
    add_body(test, "a.example", IMPORT_LOOKS_CERTAIN, POLICY("mx.example"));
    import_set_domains(test->set, &n);
    add_body(test, "b.example", IMPORT_LOOKS_CERTAIN, POLICY("mx.example"));
    assert_int_equal(diag_count(test->diag, LEVEL_ERROR), 0);
    add_body(test, "b.example", IMPORT_LOOKS_CERTAIN, POLICY("mx2.example"));
    assert_true(diag_has(test->diag, IMPORT_DOMAIN_DUPLICATE));
    domains = import_set_domains(test->set, &n);
    assert_int_equal(n, 2);
    assert_true(slice_eq_text(domains[1].policy.mx[0], "mx.example"));
}

/* A text beside the policies is no error; what has a line of a policy is meant as one. */
static void test_likely(void **state)
{
    struct set_under_test *test = *state;

    add_body(test, "jquery.min", IMPORT_LOOKS_LIKELY, "");
    add_body(test, "jquery.min", IMPORT_LOOKS_LIKELY, "a licence\n");
    assert_int_equal(diag_count(test->diag, LEVEL_ERROR), 0);
    add_body(test, "a.example", IMPORT_LOOKS_LIKELY, "max_age: 1\n");
    assert_int_equal(diag_count(test->diag, LEVEL_ERROR), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_changes, setup_set, teardown_set),
        cmocka_unit_test_setup_teardown(test_refused, setup_set, teardown_set),
        cmocka_unit_test_setup_teardown(test_twice, setup_set, teardown_set),
        cmocka_unit_test_setup_teardown(test_likely, setup_set, teardown_set),
    };

    import_set_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
