/* SPDX-License-Identifier: MIT */
#include "lib/policy/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/policy/policy.h"
#include "support/vectors.h"

#define HEAD "version: STSv1\r\nmode: enforce\r\nmx: a.example\r\n"
#define VALID HEAD "max_age: 86400\r\n"
#define NAME_32 "abcdefghijklmnopqrstuvwxyz._-789"

static const struct policy untouched = {POLICY_MODE_COUNT, 1, NULL, 2};

static void test_valid(void **state)
{
    static const struct {
        struct slice body;
        enum policy_mode mode;
        uint32_t max_age_s;
        const char *mx; /* joined by spaces */
    } rows[] = {
        {SLICE_BYTES(HEAD "max_age: 0\r\n"), POLICY_ENFORCE, 0, "a.example"},
        {SLICE_BYTES(HEAD "max_age: 1"), POLICY_ENFORCE, 1, "a.example"},
        {SLICE_BYTES(HEAD "max_age: 31557600\n"), POLICY_ENFORCE, 31557600, "a.example"},
        {SLICE_BYTES(HEAD "max_age: 0000000000"), POLICY_ENFORCE, 0, "a.example"},
        {SLICE_BYTES("version:STSv1\nmode:none\nmax_age:1"), POLICY_MODE_NONE, 1, ""},
        {SLICE_BYTES("version: \t STSv1 \t \nmode:\ttesting\t\r\nmx:\tA.Example \nmax_age:\t1 \t"),
         POLICY_TESTING, 1, "A.Example"},
        {SLICE_BYTES("mode: none\nmx: *.b.example\nmx: a.example\nmax_age: 1\nversion: STSv1\n"),
         POLICY_MODE_NONE, 1, "*.b.example a.example"},
        {SLICE_BYTES(VALID "mx: a.example\nmx: a.example\n"), POLICY_ENFORCE, 86400,
         "a.example a.example a.example"},
        /* duplicates: the first counts, the value of the others is not looked at */
        {SLICE_BYTES(VALID "version: STSv2\nmode: \nmax_age: \x01x\rx\n"), POLICY_ENFORCE, 86400,
         "a.example"},
        {SLICE_BYTES("x: 1\n" VALID "x:\nx: a\tb\n"), POLICY_ENFORCE, 86400, "a.example"},
        {SLICE_BYTES(VALID "x: 1\nx:\n"), POLICY_ENFORCE, 86400, "a.example"},
        /* extensions */
        {SLICE_BYTES(VALID NAME_32 ": a:b c;d=e\n"), POLICY_ENFORCE, 86400, "a.example"},
        {SLICE_BYTES(VALID "1: ~!\xc2\x80\xe2\x80\xa8\xf4\x8f\xbf\xbf\n"), POLICY_ENFORCE, 86400,
         "a.example"},
        {SLICE_BYTES(VALID "Mode: none\nMX: b.example\nmxx: c.example\n"), POLICY_ENFORCE, 86400,
         "a.example"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy policy;
        struct err err;
        char mx[256] = "";

        if (policy_parse(rows[i].body, arena, &policy, &err) != 0)
            fail_msg("row %zu: wanted a policy, saw '%s'", i, err.msg);
        for (size_t j = 0; j < policy.n_mx; j++)
            snprintf(mx + strlen(mx), sizeof(mx) - strlen(mx), "%s%s", j > 0 ? " " : "",
                     policy.mx[j].ptr);
        if (policy.mode != rows[i].mode || policy.max_age_s != rows[i].max_age_s ||
            strcmp(mx, rows[i].mx) != 0)
            fail_msg("row %zu: wanted %s, %u s, mx '%s', saw %s, %u s, mx '%s'", i,
                     policy_mode_name(rows[i].mode), rows[i].max_age_s, rows[i].mx,
                     policy_mode_name(policy.mode), policy.max_age_s, mx);
    }
    arena_free(arena);
}

static void test_faults(void **state)
{
    static const char name_rule[] =
        "is not a letter or digit and up to 31 letters, digits, '_', '-' or '.'";
    static const char value_rule[] = "of an extension is empty or has a control character";
    static const char digits_rule[] = "is not a number of seconds in 1 to 10 digits";
    static const char mode_rule[] = "is not testing, enforce or none, in lower case";
    static const char line_rule[] = "is empty, which is not allowed in a policy";
    static const struct {
        struct slice body;
        uint32_t line, column;
        const char *found; /* what stands in quotes; NULL: nothing */
        const char *what, *why;
    } rows[] = {
        {{NULL, 0}, 0, 0, NULL, "the policy is empty", ""},
        {SLICE_BYTES(""), 0, 0, NULL, "the policy is empty", ""},
        {SLICE_BYTES("\n"), 1, 1, "", "line", line_rule},
        {SLICE_BYTES("\r\n" VALID), 1, 1, "", "line", line_rule},
        {SLICE_BYTES(VALID "\n"), 5, 1, "", "line", line_rule},
        {SLICE_BYTES("version: STSv1\n\r\nmode: none\n"), 2, 1, "", "line", line_rule},
        {SLICE_BYTES(VALID " "), 5, 1, " ", "line", "has no ':' after a field name"},
        {SLICE_BYTES(VALID "\0"), 5, 1, "\\x00", "line", "has no ':' after a field name"},
        {SLICE_BYTES(":"), 1, 1, "", "field name", name_rule},
        {SLICE_BYTES(": x"), 1, 1, "", "field name", name_rule},
        {SLICE_BYTES(VALID "version : STSv1\n"), 5, 1, "version ", "field name", name_rule},
        {SLICE_BYTES(VALID " x: 1\n"), 5, 1, " x", "field name", name_rule},
        {SLICE_BYTES(VALID "_x: 1\n"), 5, 1, "_x", "field name", name_rule},
        {SLICE_BYTES(VALID "x/: 1\n"), 5, 1, "x/", "field name", name_rule},
        {SLICE_BYTES(VALID "b\xc3\xbc"
                           "cher: 1\n"),
         5, 1, "b\\xc3\\xbccher", "field name", name_rule},
        {SLICE_BYTES(VALID NAME_32 "0: 1\n"), 5, 1, NAME_32 "0", "field name", name_rule},
        {SLICE_BYTES("\xef\xbb\xbf" VALID), 1, 1, "\\xef\\xbb\\xbfversion", "field name",
         "begins with a byte order mark"},
        {SLICE_BYTES("version: stsv1\n"), 1, 10, "stsv1", "version", "is not 'STSv1'"},
        {SLICE_BYTES("version:\n"), 1, 9, "", "version", "is not 'STSv1'"},
        {SLICE_BYTES("version: STSv1\0\n"), 1, 10, "STSv1\\x00", "version", "is not 'STSv1'"},
        {SLICE_BYTES("mode: ENFORCE\n"), 1, 7, "ENFORCE", "mode", mode_rule},
        {SLICE_BYTES("mode:\t \n"), 1, 8, "", "mode", mode_rule},
        {SLICE_BYTES("mode: none\r"), 1, 7, "none\\x0d", "mode", mode_rule},
        {SLICE_BYTES("mode: none\r\r\n"), 1, 7, "none\\x0d", "mode", mode_rule},
        {SLICE_BYTES("max_age:\n"), 1, 9, "", "max_age", digits_rule},
        {SLICE_BYTES("max_age: -1\n"), 1, 10, "-1", "max_age", digits_rule},
        {SLICE_BYTES("max_age: 1w\n"), 1, 10, "1w", "max_age", digits_rule},
        {SLICE_BYTES("max_age: 1 2\n"), 1, 10, "1 2", "max_age", digits_rule},
        {SLICE_BYTES("max_age: 00000000001\n"), 1, 10, "00000000001", "max_age", digits_rule},
        {SLICE_BYTES("max_age: 99999999999999999999999\n"), 1, 10, "99999999999999999999999",
         "max_age", digits_rule},
        {SLICE_BYTES("max_age: 31557601\n"), 1, 10, "31557601", "max_age", "is above 31557600 s"},
        {SLICE_BYTES("max_age: 9999999999\n"), 1, 10, "9999999999", "max_age",
         "is above 31557600 s"},
        {SLICE_BYTES(VALID "mx:\n"), 5, 4, "", "mx",
         "is empty; an mx is the name of a mail server"},
        {SLICE_BYTES(VALID "mx:  a@b.example\n"), 5, 6, "a@b.example", "mx",
         "is an e-mail address; an mx is the name of a mail server"},
        {SLICE_BYTES("mode: none\nmx: *\n"), 2, 5, "*", "mx",
         "has no domain after the wildcard; write *.example.com"},
        {SLICE_BYTES("x:\n"), 1, 3, "", "value", value_rule},
        {SLICE_BYTES("x: a\tb\n"), 1, 4, "a\\x09b", "value", value_rule},
        {SLICE_BYTES("x: a\rb\n"), 1, 4, "a\\x0db", "value", value_rule},
        {SLICE_BYTES("x: \x7f\n"), 1, 4, "\\x7f", "value", value_rule},
        {SLICE_BYTES("x: \x1f\n"), 1, 4, "\\x1f", "value", value_rule},
        {SLICE_BYTES("xy: 1\nyx: 1\nx:\n"), 3, 3, "", "value", value_rule},
        {SLICE_BYTES("y: x: 1\nx:\n"), 2, 3, "", "value", value_rule},
        {SLICE_BYTES("x: b\xc3\n"), 1, 5, "\\xc3", "byte", "is not UTF-8"},
        {SLICE_BYTES(VALID "mode: \xff\n"), 5, 7, "\\xff", "byte", "is not UTF-8"},
        {SLICE_BYTES(VALID "x: \xc3\xbc\xed\xa0\x80\n"), 5, 6, "\\xed", "byte", "is not UTF-8"},
        {SLICE_BYTES("mode: none\nmax_age: 1\n"), 0, 0, NULL, "field 'version' is missing", ""},
        {SLICE_BYTES("version: STSv1\nmx: a.example\nmax_age: 1\n"), 0, 0, NULL,
         "field 'mode' is missing", ""},
        {SLICE_BYTES(HEAD), 0, 0, NULL, "field 'max_age' is missing", ""},
        {SLICE_BYTES("version: STSv1\nmode: testing\nmax_age: 1\nnmx: a.example\n"), 4, 1, "nmx",
         "field name", "is not 'mx', which is missing"},
        {SLICE_BYTES(HEAD "max-age: 1\n"), 4, 1, "max-age", "field name",
         "is not 'max_age', which is missing"},
        {SLICE_BYTES("version: STSv1\nmode: enforce\nmax_age: 1\nMX: a.example\nMX: b.example"), 4,
         1, "MX", "field name", "is not 'mx', which is missing"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy policy = untouched;
        struct err err = {0};
        char want[ERR_MSG_MAX];

        if (rows[i].found)
            snprintf(want, sizeof(want), "%s '%s' %s", rows[i].what, rows[i].found, rows[i].why);
        else
            snprintf(want, sizeof(want), "%s", rows[i].what);
        if (policy_parse(rows[i].body, arena, &policy, &err) == 0)
            fail_msg("row %zu: wanted '%s', saw a policy", i, want);
        if (err.code != ERR_SYNTAX || strcmp(err.msg, want) != 0 ||
            err.place.line != rows[i].line || err.place.column != rows[i].column)
            fail_msg("row %zu: wanted %u:%u: %s, saw %u:%u: %s", i, rows[i].line, rows[i].column,
                     want, err.place.line, err.place.column, err.msg);
        assert_memory_equal(&policy, &untouched, sizeof(policy));
    }
    arena_free(arena);
}

/* What is no policy at all is named as a whole. */
static void test_other_bodies(void **state)
{
    static const struct {
        struct slice body;
        const char *want;
    } rows[] = {
        {SLICE_BYTES("<!DOCTYPE html>\n"), "this is a web page"},
        {SLICE_BYTES("HTTP/2 200\r\n\r\n" VALID), "this begins with the head of an HTTP answer"},
        {SLICE_BYTES("v=STSv1; id=1"), "this is the TXT record of _mta-sts"},
        {SLICE_BYTES("\xff\xfev\0"), "the policy is UTF-16"},
        {SLICE_BYTES("version: STSv1\rmode: none\rmax_age: 1\r"), "the lines end in CR alone"},
        {SLICE_BYTES("version: STSv1 mode: none max_age: 1"), "all fields are on one line"},
        {SLICE_BYTES("version: STSv2"), "version 'STSv2' is not 'STSv1'"},
        {SLICE_BYTES("version: STSv2\r"), "version 'STSv2\\x0d' is not 'STSv1'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(0);
        struct policy policy;
        struct err err;

        assert_int_equal(policy_parse(rows[i].body, arena, &policy, &err), -1);
        if (strncmp(err.msg, rows[i].want, strlen(rows[i].want)) != 0)
            fail_msg("row %zu: wanted '%s', saw '%s'", i, rows[i].want, err.msg);
        arena_free(arena);
    }
}

static void test_near_misses(void **state)
{
    static const struct slice body =
        SLICE_BYTES("version: STSv1\nnmx: a\nmode: none\nx: y\nmax-age: 5\nMX: b\nmax_age: 1\n");
    static const struct {
        const char *name, *meant;
        uint32_t line;
    } rows[] = {{"nmx", "mx", 2}, {"max-age", "max_age", 5}, {"MX", "mx", 6}};
    struct policy_near_miss miss = {.rest = body};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(policy_next_near_miss(&miss), 1);
        assert_true(slice_eq_text(miss.name, rows[i].name));
        assert_string_equal(miss.meant, rows[i].meant);
        assert_int_equal(miss.line, rows[i].line);
    }
    assert_int_equal(policy_next_near_miss(&miss), 0);
}

static void test_size(void **state)
{
    static const char start[] = VALID "x: ";
    static char body[POLICY_FETCH_MAX + 1];
    struct arena *arena = arena_new(0);
    struct policy policy = untouched;
    struct err err = {0};

    (void)state;
    memset(body, 'x', sizeof(body));
    memcpy(body, start, sizeof(start) - 1);
    assert_int_equal(policy_parse((struct slice){body, POLICY_FETCH_MAX + 1}, arena, &policy, &err),
                     -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.msg, "the policy is 65537 bytes, above 65536 bytes");
    assert_memory_equal(&policy, &untouched, sizeof(policy));
    assert_int_equal(policy_parse((struct slice){body, POLICY_FETCH_MAX}, arena, &policy, &err), 0);
    arena_free(arena);
}

/* Its mx outlive the body; a cap that either the list or a copy would pass is an error. */
static void test_memory(void **state)
{
    static const size_t needed = sizeof(struct slice) + sizeof("a.example");
    struct policy policy = untouched;
    struct err err = {0};
    char body[] = VALID;

    (void)state;
    for (size_t cap_bytes = 1; cap_bytes <= needed; cap_bytes++) {
        struct arena *arena = arena_new(cap_bytes);
        int seen = policy_parse(slice_of(VALID), arena, &policy, &err);

        if (seen != (cap_bytes < needed ? -1 : 0))
            fail_msg("cap %zu: saw %d", cap_bytes, seen);
        if (seen != 0) {
            assert_int_equal(err.code, ERR_LIMIT);
            assert_string_equal(err.msg, "1 mx need more memory than is allowed");
            assert_memory_equal(&policy, &untouched, sizeof(policy));
        } else {
            assert_int_equal(policy_parse(slice_of(body), arena, &policy, &err), -1);
            arena_reset(arena);
            assert_int_equal(policy_parse(slice_of(body), arena, &policy, &err), 0);
            memset(body, '!', sizeof(body));
            assert_string_equal(policy.mx[0].ptr, "a.example");
        }
        arena_free(arena);
    }
}

static bool check_valid_vector(const json_t *parsed, const struct policy *policy)
{
    const json_t *mx = json_object_get(parsed, "mx");
    bool same = slice_eq_text(vector_text(json_object_get(parsed, "mode")),
                              policy_mode_name(policy->mode)) &&
                json_integer_value(json_object_get(parsed, "max_age")) == policy->max_age_s &&
                json_array_size(mx) == policy->n_mx;

    for (size_t i = 0; same && i < policy->n_mx; i++)
        same = slice_eq(vector_text(json_array_get(mx, i)), policy->mx[i]);
    if (!same)
        print_error("saw mode %s, max_age %u, %zu mx\n", policy_mode_name(policy->mode),
                    policy->max_age_s, policy->n_mx);
    return same;
}

static bool check_vector(const json_t *row, struct arena *arena)
{
    bool want = slice_eq_text(vector_text(json_object_get(row, "rfc")), "valid");
    struct policy policy;
    struct err err = {0};
    bool seen = policy_parse(vector_bytes(row, "text", arena), arena, &policy, &err) == 0;

    if (seen != want) {
        print_error("wanted %s, saw '%s'\n", want ? "valid" : "invalid", err.msg);
        return false;
    }
    return !want || check_valid_vector(json_object_get(row, "parsed"), &policy);
}

static void test_vectors(void **state)
{
    (void)state;
    vectors_run("policy.json", check_vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_other_bodies), cmocka_unit_test(test_near_misses),
        cmocka_unit_test(test_size),         cmocka_unit_test(test_memory),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
