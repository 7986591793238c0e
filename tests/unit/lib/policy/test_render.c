/* SPDX-License-Identifier: MIT */
#include "lib/policy/render.h"

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

static const struct slice two_mx[] = {SLICE_BYTES("mx1.example.com"), SLICE_BYTES("*.example.net")};

static void test_bytes(void **state)
{
    static const struct {
        struct policy policy;
        const char *want;
    } rows[] = {
        {{POLICY_MODE_NONE, 0, NULL, 0}, "version: STSv1\r\nmode: none\r\nmax_age: 0\r\n"},
        {{POLICY_MODE_NONE, 86400, two_mx, 1},
         "version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r\nmax_age: 86400\r\n"},
        {{POLICY_TESTING, POLICY_MAX_AGE_MAX, two_mx, 1},
         "version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmax_age: 31557600\r\n"},
        {{POLICY_ENFORCE, 604800, two_mx, 2},
         "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.example.net\r\n"
         "max_age: 604800\r\n"},
        {{POLICY_ENFORCE, UINT32_MAX, two_mx + 1, 1},
         "version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 4294967295\r\n"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice body;
        struct err err;

        if (policy_render(&rows[i].policy, arena, &body, &err) != 0)
            fail_msg("row %zu: wanted a body, saw '%s'", i, err.msg);
        if (!slice_eq_text(body, rows[i].want) || body.ptr[body.len] != '\0')
            fail_msg("row %zu: wanted '%s', saw '%.*s'", i, rows[i].want, SLICE_ARG(body));
    }
    arena_free(arena);
}

/* A policy whose body has `body_len` bytes: lines of 100 bytes, then one that fills it up. */
static struct policy policy_of_size(size_t body_len, struct arena *arena)
{
    static const size_t around =
        sizeof("version: STSv1\r\nmode: enforce\r\nmax_age: 86400\r\n") - 1;
    static const size_t around_mx = sizeof("mx: \r\n") - 1;
    size_t left = body_len - around;
    size_t n_mx = left / 100;
    struct slice *mx = arena_array(arena, n_mx, sizeof(*mx));
    char *letters = arena_alloc(arena, 200);

    memset(letters, 'a', 200);
    for (size_t i = 0; i < n_mx; i++) {
        size_t line_len = i + 1 < n_mx ? 100 : left;

        mx[i] = (struct slice){letters, line_len - around_mx};
        left -= line_len;
    }
    return (struct policy){POLICY_ENFORCE, 86400, mx, n_mx};
}

static void test_cap(void **state)
{
    static const struct {
        size_t body_len;
        const char *want; /* NULL: no error */
    } rows[] = {
        {POLICY_BODY_MAX - 1, NULL},
        {POLICY_BODY_MAX, NULL},
        {POLICY_BODY_MAX + 1, "the policy is 10241 bytes, above 10240 bytes"},
        {POLICY_BODY_MAX * 10, "the policy is 102400 bytes, above 10240 bytes"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct policy policy = policy_of_size(rows[i].body_len, arena);
        struct slice body = SLICE_BYTES("untouched");
        struct err err = {0};
        int seen = policy_render(&policy, arena, &body, &err);

        if (seen != (rows[i].want ? -1 : 0))
            fail_msg("row %zu: wanted %s, saw %d", i, rows[i].want ? "an error" : "a body", seen);
        if (rows[i].want) {
            assert_int_equal(err.code, ERR_LIMIT);
            assert_string_equal(err.msg, rows[i].want);
            assert_true(slice_eq_text(body, "untouched"));
        } else {
            assert_int_equal(body.len, rows[i].body_len);
        }
    }
    arena_free(arena);
}

static void test_arena_cap(void **state)
{
    static const struct policy policy = {POLICY_ENFORCE, 604800, two_mx, 2};
    static const size_t body_len =
        sizeof("version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\n"
               "mx: *.example.net\r\nmax_age: 604800\r\n") -
        1;
    struct slice body = SLICE_BYTES("untouched");
    struct err err = {0};
    struct arena *exact = arena_new(body_len + 1), *short_of_one = arena_new(body_len);

    (void)state;
    assert_int_equal(policy_render(&policy, short_of_one, &body, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.msg, "the policy of 88 bytes needs more memory than is allowed");
    assert_true(slice_eq_text(body, "untouched"));
    assert_int_equal(policy_render(&policy, exact, &body, &err), 0);
    assert_int_equal(body.len, body_len);
    arena_free(exact);
    arena_free(short_of_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_arena_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
