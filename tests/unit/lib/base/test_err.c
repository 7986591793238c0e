/* SPDX-License-Identifier: MIT */
#include "lib/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

static void test_set(void **state)
{
    struct err err = {.code = ERR_IO, .sys_errno = EACCES, .place = {"f", 1, 2}};

    (void)state;
    assert_int_equal(err_set(&err, ERR_LIMIT, "%d above %d", 2, 1), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(err.sys_errno, 0);
    assert_null(err.place.file);
    assert_int_equal(err.place.line, 0);
    assert_string_equal(err.msg, "2 above 1");
}

static void test_at(void **state)
{
    struct err err = {.sys_errno = EACCES};

    (void)state;
    assert_int_equal(err_at(&err, (struct place){"f", 3, 4}, ERR_SYNTAX, "odd"), -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    assert_int_equal(err.sys_errno, 0);
    assert_string_equal(err.place.file, "f");
    assert_int_equal(err.place.line, 3);
    assert_int_equal(err.place.column, 4);
    assert_string_equal(err.msg, "odd");
}

static void test_io(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_io(&err, ENOENT, "'%s' cannot be read", "x"), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.msg, "'x' cannot be read: No such file or directory");
}

/* An edge puts the file's name before the message that file_read() gave it. */
static void test_own_message_as_argument(void **state)
{
    struct err err;

    (void)state;
    err_at(&err, (struct place){"f", 1, 2}, ERR_IO, "cannot be read");
    err_at(&err, err.place, err.code, "'%s' %s", err.place.file, err.msg);
    assert_string_equal(err.msg, "'f' cannot be read");
    assert_int_equal(err.place.column, 2);
}

static void test_long_message_is_cut(void **state)
{
    static const size_t lengths[] = {
        0, 1, ERR_MSG_MAX - 2, ERR_MSG_MAX - 1, ERR_MSG_MAX, ERR_MSG_MAX * 4};
    char text[ERR_MSG_MAX * 4 + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct err err;
        size_t want = lengths[i] < ERR_MSG_MAX ? lengths[i] : ERR_MSG_MAX - 1;

        err_set(&err, ERR_LIMIT, "%.*s", (int)lengths[i], text);
        if (strlen(err.msg) != want)
            fail_msg("row %zu: wanted %zu bytes, saw %zu", i, want, strlen(err.msg));
        err_io(&err, ENOENT, "%.*s", (int)lengths[i], text);
        if (strlen(err.msg) < want)
            fail_msg("row %zu: wanted at least %zu bytes, saw %zu", i, want, strlen(err.msg));
    }
}

static void test_quote(void **state)
{
    static const struct {
        struct slice value;
        size_t size;
        const char *want;
    } rows[] = {
        {{NULL, 0}, 8, "''"},
        {SLICE_BYTES("a"), 8, "'a'"},
        {SLICE_BYTES("abc"), 8, "'ab...'"},
        {SLICE_BYTES("ab"), 8, "'ab'"},
        {SLICE_BYTES("abcd"), 9, "'abc...'"},
        {SLICE_BYTES("mta-sts.example.com"), 96, "'mta-sts.example.com'"},
        {SLICE_BYTES("it's"), 96, "'it\\'s'"},
        {SLICE_BYTES("a\\b\""), 96, "'a\\\\b\"'"},
        {SLICE_BYTES("\0"), 96, "'\\x00'"},
        {SLICE_BYTES("\x1f ~\x7f\r\n"), 96, "'\\x1f ~\\x7f\\x0d\\x0a'"},
        {SLICE_BYTES("\xc3\xbc"), 96, "'\\xc3\\xbc'"},
        {SLICE_BYTES("a\xff"), 12, "'a\\xff'"},
        {SLICE_BYTES("a\xff"), 8, "'a...'"}, /* an escape is shown whole or not at all */
        {SLICE_BYTES("a\xff"), 9, "'a...'"},
        {SLICE_BYTES("a\xff"), 10, "'a...'"},
        {SLICE_BYTES("a\xff"), 11, "'a\\xff'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buffer[96];
        const char *seen = err_quote(buffer, rows[i].size, rows[i].value);

        if (seen != buffer || strcmp(seen, rows[i].want) != 0 || strlen(seen) >= rows[i].size)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, seen);
    }
}

static void test_place_compare(void **state)
{
    /* In their order. */
    static const struct place places[] = {
        {NULL, 0, 0}, {"a", 0, 0}, {"a", 1, 1}, {"a", 1, 2}, {"a", 2, 1}, {"b", 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (size_t j = 0; j < ARRAY_LEN(places); j++) {
            int order = place_compare(places[i], places[j]);

            if ((order > 0) != (i > j) || (order < 0) != (i < j))
                fail_msg("places %zu and %zu: %d", i, j, order);
        }
}

/* What does not fit is cut. */
static void test_add(void **state)
{
    static char text[ERR_MSG_MAX + 1];
    struct err err;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    err_io(&err, ENOENT, "b");
    assert_int_equal(err_add(&err, "; c"), -1);
    assert_string_equal(err.msg, "b: No such file or directory; c");
    assert_int_equal(err.sys_errno, ENOENT);
    err_add(&err, text);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_at),
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_own_message_as_argument),
        cmocka_unit_test(test_long_message_is_cut),
        cmocka_unit_test(test_quote),
        cmocka_unit_test(test_place_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
