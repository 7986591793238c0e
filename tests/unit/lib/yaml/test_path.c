/* SPDX-License-Identifier: MIT */
#include "lib/yaml/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define TEN "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN
#define NAME_253 FIFTY FIFTY FIFTY FIFTY FIFTY "abc"

static void test_names(void **state)
{
    static const struct {
        struct slice name;
        const char *want;
    } rows[] = {
        {{"", 0}, "top."},
        {{"mx", 2}, "top.mx"},
        {{"example.com", 11}, "top.example.com"},
        {{"a b", 3}, "top.a b"},
        {{"\0", 1}, "top.\\x00"},
        {{"\t\n\x1f\x7f", 4}, "top.\\x09\\x0a\\x1f\\x7f"},
        {{" ~", 2}, "top. ~"},
        {{"b\xc3\xbc", 3}, "top.b\\xc3\\xbc"},
        {{"\xff", 1}, "top.\\xff"},
        {{NAME_253, 253}, "top." NAME_253},
        {{NAME_253 "d", 254}, "top." NAME_253 "..."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct yaml_path path = {0};
        size_t old_len;

        yaml_path_enter(&path, slice_of("top"));
        old_len = yaml_path_enter(&path, rows[i].name);
        if (strcmp(yaml_path_text(&path), rows[i].want) != 0)
            fail_msg("row %zu: wanted %s, saw %s", i, rows[i].want, yaml_path_text(&path));
        yaml_path_leave(&path, old_len);
        assert_string_equal(yaml_path_text(&path), "top");
    }
}

static void test_indices(void **state)
{
    struct yaml_path path = {0};
    size_t old_len;

    (void)state;
    assert_null(yaml_path_text(&path));
    yaml_path_enter(&path, slice_of("mx"));
    old_len = yaml_path_index(&path, 0);
    assert_string_equal(yaml_path_text(&path), "mx[0]");
    yaml_path_leave(&path, old_len);
    yaml_path_index(&path, SIZE_MAX);
    assert_string_equal(yaml_path_text(&path), "mx[18446744073709551615]");
    yaml_path_leave(&path, 0);
    assert_null(yaml_path_text(&path));
}

/* A path that is too long is cut, and still goes back to what it was. */
static void test_overflow(void **state)
{
    struct yaml_path path = {0};
    size_t old_len;

    (void)state;
    yaml_path_enter(&path, slice_of(NAME_253));
    old_len = yaml_path_enter(&path, slice_of(NAME_253));
    assert_int_equal(path.len, 507);
    yaml_path_enter(&path, slice_of("\xff\xff\xff"));
    assert_int_equal(path.len, 508);
    yaml_path_enter(&path, slice_of(NAME_253));
    assert_int_equal(path.len, YAML_PATH_MAX - 1);
    assert_int_equal(strlen(yaml_path_text(&path)), YAML_PATH_MAX - 1);
    yaml_path_index(&path, 1);
    assert_int_equal(path.len, YAML_PATH_MAX - 1);
    yaml_path_leave(&path, old_len);
    assert_string_equal(yaml_path_text(&path), NAME_253);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
