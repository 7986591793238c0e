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
#include "support/fixture.h"
#include "support/loaded.h"

/* A configuration of these domains, written as YAML in flow style. */
static struct config *load(const char *domains)
{
    return loaded_config("domains: {%s}\n", domains);
}

static struct difference compare(const char *current, const char *next, size_t lines_max,
                                 char **ret_text)
{
    struct config *was = load(current), *is = load(next);
    size_t len;
    FILE *out = open_memstream(ret_text, &len);
    const struct compare_options options = {
        .out = out, .lines_max = lines_max, .now_unix_s = 1797084240};
    struct difference difference = config_compare(was, is, &options);

    fclose(out);
    config_unref(was);
    config_unref(is);
    return difference;
}

#define A "a.example: {mx: [mx.a.example]}"
#define NO_TESTING                                                                            \
    "  risk: enforce without a time in testing: if a certificate or an mx is wrong, mail is " \
    "lost\n"
#define REMOVED_MX                                                                    \
    "  risk: senders that fetch the new policy refuse the removed mx; remove an mx\n" \
    "        only when no MX record names its host any more\n"
#define MAY_GO(name) "  mta-stsd --withdraw " name ".example says when its records in DNS can go\n"
#define CHANGED_RECORDS "changed: a.example; its DNS records, not its policy\n"
#define RUA "tls_rpt: [\"mailto:tls@a.example\"]"
#define OTHER_RUA "tls_rpt: [\"mailto:tls@b.example\"]"

static const struct {
    const char *current, *next;
    size_t n_added, n_removed, n_changed;
    const char *text; /* "#" stands for an id */
} rows[] = {
    {A, A, 0, 0, 0, ""},
    {A, "a.example: {mx: [mx.a.example], mode: testing, max_age: 604800}", 0, 0, 0, ""},
    {A, A ", b.example: {mx: [mx.b.example]}", 1, 0, 0, "added: b.example; mode testing; id #\n"},
    {A ", b.example: {mx: [mx.b.example], mode: enforce}", A, 0, 1, 0,
     "removed: b.example (enforce)\n  risk: senders may enforce its policy until 19 December 2026, "
     "14:04 UTC; serve it in mode none until\n        then, see mta-stsd --withdraw b.example\n"},
    {A, "b.example: {mode: none}", 1, 1, 0,
     "removed: a.example (testing)\n" MAY_GO("a") "added: b.example; mode none; id #\n"},
    {"b.example: {mode: none}", A, 1, 1, 0,
     "removed: b.example (none)\n" MAY_GO("b") "added: a.example; mode testing; id #\n"},
    {A, A ", b.example: {mta_sts: false, " RUA "}", 1, 0, 0,
     "added: b.example (TLS reporting only)\n"},

    {A, "a.example: {mx: [mx.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mode testing -> enforce; id #\n"},
    {"a.example: {mx: [mx.a.example], mode: enforce}", "a.example: {mode: none}", 0, 0, 1,
     "changed: a.example; mode enforce -> none; mx removed: mx.a.example; "
     "max_age 1 week -> 1 day; id #\n"},
    {"a.example: {mx: [mx1.a.example, mx2.a.example, mx3.a.example], mode: enforce}",
     "a.example: {mx: [mx2.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mx removed under enforce: mx1.a.example, mx3.a.example; id "
     "#\n" REMOVED_MX},
    {"a.example: {mx: [mx1.a.example, mx2.a.example]}", "a.example: {mx: [mx2.a.example]}", 0, 0, 1,
     "changed: a.example; mx removed: mx1.a.example; id #\n"},
    {"a.example: {mx: [mx1.a.example]}",
     "a.example: {mx: [mx2.a.example], mode: enforce, max_age: 1d}", 0, 0, 1,
     "changed: a.example; mode testing -> enforce; mx removed under enforce: mx1.a.example; "
     "mx added: mx2.a.example; max_age 1 week -> 1 day; id #\n" REMOVED_MX},
    {"a.example: {mx: [mx1.a.example], mode: enforce}",
     "a.example: {mx: [mx1.a.example, mx2.a.example], mode: enforce, max_age: 1d}", 0, 0, 1,
     "changed: a.example; mx added: mx2.a.example; max_age 1 week -> 1 day; id #\n"
     "  risk: senders may enforce the old policy until 19 December 2026, 14:04 UTC; do not move "
     "mail to the\n        added mx before\n"
     "  risk: who holds the old policy keeps it for 1 week; a lower max_age does not shorten "
     "that\n"},
    {"a.example: {mx: [mx1.a.example], mode: enforce}",
     "a.example: {mx: [mx2.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mx removed under enforce: mx1.a.example; mx added: mx2.a.example; id #\n"
     "  risk: senders may enforce the old policy until 19 December 2026, 14:04 UTC; do not move "
     "mail to the\n        added mx before\n"
     "  risk: senders that fetch the new policy refuse the removed mx; list old and new mx\n"
     "        until 19 December 2026, 14:04 UTC, and remove an mx\n"
     "        only when no MX record names its host any more\n"},
    {"a.example: {mode: none}", "a.example: {mx: [mx1.a.example], mode: enforce}", 0, 0, 1,
     "changed: a.example; mode none -> enforce; mx added: mx1.a.example; max_age 1 day -> 1 week; "
     "id #\n" NO_TESTING},
    {A, A ", b.example: {mx: [mx1.a.example], mode: enforce}", 1, 0, 0,
     "added: b.example; mode enforce; id #\n" NO_TESTING},
    /* One line for those that share both policies. */
    {A ", b.example: {mx: [mx.a.example]}, c.example: {mx: [mx.a.example]}",
     "a.example: {mx: [mx.a.example], mode: enforce}, b.example: {mode: none}, "
     "c.example: {mx: [mx.a.example], mode: enforce}, d.example: {mx: [mx.a.example]}, "
     "e.example: {mx: [mx.a.example]}",
     2, 0, 3,
     "changed: a.example, c.example; mode testing -> enforce; id #\n"
     "changed: b.example; mode testing -> none; mx removed: mx.a.example; max_age 1 week -> 1 day; "
     "id #\n"
     "added: d.example, e.example; mode testing; id #\n"},
    {A, "a.example: {mx: [mx.a.example, \"*.b.example\", c.example]}", 0, 0, 1,
     "changed: a.example; mx added: *.b.example, c.example; id #\n"},
    /* The order is part of the bytes, and so of the id. */
    {"a.example: {mx: [mx1.a.example, mx2.a.example]}",
     "a.example: {mx: [mx2.a.example, mx1.a.example]}", 0, 0, 1, "changed: a.example; id #\n"},
    /* Another id for the same bytes. */
    {A, "a.example: {mx: [mx.a.example], id_salt: 2}", 0, 0, 1, "changed: a.example; id #\n"},
    {"a.example: {mx: [mx.a.example], " RUA "}", "a.example: {mta_sts: false, " RUA "}", 0, 1, 0,
     "removed: a.example (testing); TLS reporting only is left\n" MAY_GO("a")},
    {"a.example: {mta_sts: false, " RUA "}", "a.example: {mode: none, " RUA "}", 0, 0, 1,
     "changed: a.example; TLS reporting only -> none; id #\n"},
    /* What is published in DNS alone. */
    {A, "a.example: {mx: [mx.a.example], " RUA "}", 0, 0, 1, CHANGED_RECORDS},
    {"a.example: {mx: [mx.a.example], " RUA "}", "a.example: {mx: [mx.a.example], " OTHER_RUA "}",
     0, 0, 1, CHANGED_RECORDS},
    {A, "a.example: {mx: [mx.a.example], zone: example}", 0, 0, 1, CHANGED_RECORDS},
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

#define FIRST_THREE                       \
    "added: b.example; mode none; id #\n" \
    "added: c.example; mode none; id #\n" \
    "added: d.example; mode none; id #\n"

static void test_lines_max(void **state)
{
    static const char five[] = "a.example: {mode: none}, b.example: {mode: none, max_age: 2d}, "
                               "c.example: {mode: none, max_age: 3d}, "
                               "d.example: {mode: none, max_age: 4d}, "
                               "e.example: {mode: none, max_age: 5d}";
    static const struct {
        size_t lines_max;
        const char *want;
    } cuts[] = {
        {0, "... and 4 more\n"},
        {1, "added: b.example; mode none; id #\n... and 3 more\n"},
        {3, FIRST_THREE "... and 1 more\n"},
        {4, FIRST_THREE "added: e.example; mode none; id #\n"},
        {5, FIRST_THREE "added: e.example; mode none; id #\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        char *text;
        struct difference seen = compare("a.example: {mode: none}", five, cuts[i].lines_max, &text);

        hide_ids(text);
        assert_int_equal(seen.n_added, 4);
        assert_true(fixture_equal("lines_max", cuts[i].want, text));
        free(text);
    }
}

/* Of many domains with one change, the first ten are named. */
static void test_many_names(void **state)
{
    char was[2048] = "", is[2048] = "", *text;
    struct difference seen;

    (void)state;
    for (int i = 10; i < 33; i++) {
        snprintf(was + strlen(was), 64, "%sd%d.example: {mx: [mx.example]}", i > 10 ? ", " : "", i);
        snprintf(is + strlen(is), 64, "%sd%d.example: {mx: [mx2.example]}", i > 10 ? ", " : "", i);
    }
    seen = compare(was, is, 100, &text);
    assert_int_equal(seen.n_changed, 23);
    assert_non_null(strstr(text, "changed: d10.example, d11.example, "));
    assert_non_null(strstr(text, "d19.example and 13 more; mx removed: mx.example; mx added: "));
    free(text);
}

static int64_t enforced_for_ever(void *context, const struct domain *domain, struct slice mx)
{
    (void)mx;
    assert_string_equal(domain->name, "a.example");
    return *(const int64_t *)context;
}

/* Who knows what was served before says until when. */
static void test_enforced(void **state)
{
    struct config *was = load(A), *is = load("c.example: {mode: none}");
    int64_t until_unix_s = 1797084240;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    config_compare(
        was, is,
        &(struct compare_options){
            .out = out, .lines_max = 1, .enforced = enforced_for_ever, .context = &until_unix_s});
    fclose(out);
    assert_non_null(strstr(text, "removed: a.example (testing)\n  risk: senders may enforce its "
                                 "policy until 12 December 2026, 14:04 UTC"));
    free(text);
    config_unref(was);
    config_unref(is);
}

static int64_t enforced_by_name(void *context, const struct domain *domain, struct slice mx)
{
    (void)context;
    (void)mx;
    return strcmp(domain->name, "b.example") == 0 ? 1797084240 : 0;
}

/* Of domains that share a line, the one that senders hold longest says until when. */
static void test_enforced_in_group(void **state)
{
    struct config *was = load("a.example: {mx: [m.example]}, b.example: {mx: [m.example]}");
    struct config *is = load("a.example: {mx: [m.example, n.example]}, "
                             "b.example: {mx: [m.example, n.example]}");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    config_compare(
        was, is,
        &(struct compare_options){.out = out, .lines_max = 1, .enforced = enforced_by_name});
    fclose(out);
    assert_non_null(strstr(text, "until 12 December 2026, 14:04 UTC; do not move mail"));
    free(text);
    config_unref(was);
    config_unref(is);
}

/* The policy of today lists both, one that senders still hold does not. */
static void test_removed_too_early(void **state)
{
    struct config *was = load("b.example: {mx: [m.example, n.example], mode: enforce}");
    struct config *is = load("b.example: {mx: [n.example], mode: enforce}");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    config_compare(
        was, is,
        &(struct compare_options){.out = out, .lines_max = 1, .enforced = enforced_by_name});
    fclose(out);
    assert_null(strstr(text, "added mx"));
    assert_non_null(strstr(text, "refuse the removed mx; list old and new mx\n"
                                 "        until 12 December 2026, 14:04 UTC, and remove an mx\n"));
    free(text);
    config_unref(was);
    config_unref(is);
}

static void test_count_only(void **state)
{
    struct config *was = load(A ", b.example: {mode: none}"), *is = load("c.example: {mode: none}");
    struct difference seen = config_compare(was, is, &(struct compare_options){.lines_max = 100});

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
        cmocka_unit_test(test_compare),           cmocka_unit_test(test_lines_max),
        cmocka_unit_test(test_many_names),        cmocka_unit_test(test_enforced),
        cmocka_unit_test(test_enforced_in_group), cmocka_unit_test(test_removed_too_early),
        cmocka_unit_test(test_count_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
