/* SPDX-License-Identifier: MIT */
#include "lib/config/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "support/fixture.h"

/* A configuration of these domains, written as YAML in flow style. */
static struct config *load(const char *domains)
{
    char yaml[4096];
    struct diag *diag = diag_new(&config_findings);
    struct fixture file;
    struct config *config;

    snprintf(yaml, sizeof(yaml), "domains: {%s}\n", domains);
    file = fixture_open(slice_of(yaml));
    config = config_load(file.path, diag);
    diag_print(diag, LEVEL_ERROR, stderr);
    assert_non_null(config);
    diag_free(diag);
    fixture_close(&file);
    return config;
}

static struct difference compare(const char *current, const char *next, size_t lines_max,
                                 char **ret_text)
{
    struct config *was = load(current), *is = load(next);
    size_t len;
    FILE *out = open_memstream(ret_text, &len);
    struct difference difference = config_compare(was, is, out, lines_max);

    fclose(out);
    config_unref(was);
    config_unref(is);
    return difference;
}

#define A "a.example: {mx: [mx.a.example]}"
#define RUA "tls_rpt: [\"mailto:tls@a.example\"]"

static const struct {
    const char *current, *next;
    size_t n_added, n_removed, n_changed;
    const char *text; /* "#" stands for an id */
} rows[] = {
    {A, A, 0, 0, 0, ""},
    {A, "a.example: {mx: [mx.a.example], mode: testing, max_age: 604800}", 0, 0, 0, ""},
    {A, A ", b.example: {mx: [mx.b.example]}", 1, 0, 0, "added: b.example (testing)\n"},
    {A ", b.example: {mx: [mx.b.example], mode: enforce}", A, 0, 1, 0,
     "removed: b.example (enforce; senders may enforce it for 604800 s; to leave, serve mode none "
     "first)\n"},
    {A, "b.example: {mode: none}", 1, 1, 0,
     "removed: a.example (testing)\nadded: b.example (none)\n"},
    {"b.example: {mode: none}", A, 1, 1, 0,
     "added: a.example (testing)\nremoved: b.example (none)\n"},
    {A, A ", b.example: {mta_sts: false, " RUA "}", 1, 0, 0,
     "added: b.example (TLS reporting only)\n"},

    {A, "a.example: {mx: [mx.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mode testing -> enforce; id #\n"},
    {"a.example: {mx: [mx.a.example], mode: enforce}", "a.example: {mode: none}", 0, 0, 1,
     "changed: a.example; mode enforce -> none; mx removed: mx.a.example; "
     "max_age 604800 s -> 86400 s; id #\n"},
    {"a.example: {mx: [mx1.a.example, mx2.a.example, mx3.a.example], mode: enforce}",
     "a.example: {mx: [mx2.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mx removed under enforce: mx1.a.example, mx3.a.example; id #\n"},
    {"a.example: {mx: [mx1.a.example, mx2.a.example]}", "a.example: {mx: [mx2.a.example]}", 0, 0, 1,
     "changed: a.example; mx removed: mx1.a.example; id #\n"},
    {"a.example: {mx: [mx1.a.example]}",
     "a.example: {mx: [mx2.a.example], mode: enforce, max_age: 1d}", 0, 0, 1,
     "changed: a.example; mode testing -> enforce; mx removed under enforce: mx1.a.example; "
     "mx added: mx2.a.example; max_age 604800 s -> 86400 s; id #\n"},
    {A, "a.example: {mx: [mx.a.example, \"*.b.example\", c.example]}", 0, 0, 1,
     "changed: a.example; mx added: *.b.example, c.example; id #\n"},
    /* The order is part of the bytes, and so of the id. */
    {"a.example: {mx: [mx1.a.example, mx2.a.example]}",
     "a.example: {mx: [mx2.a.example, mx1.a.example]}", 0, 0, 1, "changed: a.example; id #\n"},
    /* Another id for the same bytes. */
    {A, "a.example: {mx: [mx.a.example], id_salt: 2}", 0, 0, 1, "changed: a.example; id #\n"},
    {"a.example: {mx: [mx.a.example], " RUA "}", "a.example: {mta_sts: false, " RUA "}", 0, 1, 0,
     "removed: a.example (testing); TLS reporting only is left\n"},
    {"a.example: {mta_sts: false, " RUA "}", "a.example: {mode: none, " RUA "}", 0, 0, 1,
     "changed: a.example; TLS reporting only -> none; id #\n"},
    /* What is published by DNS alone changes no policy. */
    {"a.example: {mx: [mx.a.example]}", "a.example: {mx: [mx.a.example], " RUA "}", 0, 0, 0, ""},
};

/* Puts "#" where an id stands: "id " and 32 hexadecimal digits. */
static void hide_ids(char *text)
{
    char *id = text;

    while ((id = strstr(id, "; id "))) {
        id += strlen("; id ");
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        *id = '#';
        memmove(id + 1, id + 32, strlen(id + 32) + 1);
    }
}

static void test_compare(void **state)
{
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text, what[16];
        struct difference seen = compare(rows[i].current, rows[i].next, 100, &text);
        bool good;

        snprintf(what, sizeof(what), "row %zu", i);
        hide_ids(text);
        good = fixture_equal(what, rows[i].text, text) && seen.n_added == rows[i].n_added &&
               seen.n_removed == rows[i].n_removed && seen.n_changed == rows[i].n_changed;
        if (!good)
            print_error("%s: %zu added, %zu removed, %zu changed\n", what, seen.n_added,
                        seen.n_removed, seen.n_changed);
        n_failed += !good;
        free(text);
    }
    assert_int_equal(n_failed, 0);
}

static void test_lines_max(void **state)
{
    static const char five[] = "a.example: {mode: none}, b.example: {mode: none}, "
                               "c.example: {mode: none}, d.example: {mode: none}, "
                               "e.example: {mode: none}";
    static const struct {
        size_t lines_max;
        const char *want;
    } cuts[] = {
        {0, "... and 4 more\n"},
        {1, "added: b.example (none)\n... and 3 more\n"},
        {3, "added: b.example (none)\nadded: c.example (none)\nadded: d.example (none)\n"
            "... and 1 more\n"},
        {4, "added: b.example (none)\nadded: c.example (none)\nadded: d.example (none)\n"
            "added: e.example (none)\n"},
        {5, "added: b.example (none)\nadded: c.example (none)\nadded: d.example (none)\n"
            "added: e.example (none)\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *text;
        struct difference seen = compare("a.example: {mode: none}", five, cuts[i].lines_max, &text);

        assert_int_equal(seen.n_added, 4);
        assert_true(fixture_equal("lines_max", cuts[i].want, text));
        free(text);
    }
}

static void test_count_only(void **state)
{
    struct config *was = load(A ", b.example: {mode: none}"), *is = load("c.example: {mode: none}");
    struct difference seen = config_compare(was, is, NULL, 100);

    (void)state;
    assert_int_equal(seen.n_added, 1);
    assert_int_equal(seen.n_removed, 2);
    assert_int_equal(seen.n_changed, 0);
    config_unref(was);
    config_unref(is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_lines_max),
        cmocka_unit_test(test_count_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
