/* SPDX-License-Identifier: MIT */
/*
 * Which files are read, and where it is reported that one cannot be. How files settle is tested
 * with seen.c.
 */
#include "lib/config/input.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/config/sample.h"

static const struct place asked_at = {"main", 3, 7};

static void test_read(void **state)
{
    struct sample sample = sample_open("a: b\n");
    struct input *input = input_new(0, sample.arena, sample.arena, sample.diag);
    const char *name;
    struct slice bytes;

    (void)state;
    assert_int_equal(input_read(input, sample.file.path, (struct place){0}, &name, &bytes), 0);
    assert_string_equal(name, sample.file.path);
    assert_true(slice_eq_text(bytes, "a: b\n"));
    assert_int_equal(input_read(input, sample.file.path, asked_at, &name, &bytes), 0);
    assert_string_equal(name, sample.file.path);
    input_check(input);
    assert_true(sample_has(&sample, "read", ""));
    input_free(input);
    input_free(NULL);
    sample_done(&sample);
}

static void test_refused(void **state)
{
    static const struct {
        const char *path;
        bool is_included;
        unsigned care;
        const char *want;
    } rows[] = {
        {"/nonexistent", false, 0,
         "/nonexistent: error: the file cannot be read: No such file or directory; name the "
         "configuration by --config FILE "
         "[file-unreadable]\n"},
        {"/nonexistent", true, 0,
         "main:3:7: error: include: '/nonexistent' cannot be read: No such file or directory "
         "[file-unreadable]\n"},
        {"-", false, LOAD_REGULAR,
         "<stdin>: error: the file is standard input, which can be read only once "
         "[file-unreadable]\n"},
        {"/dev/null", false, LOAD_REGULAR,
         "/dev/null: error: the file is not a regular file, so to read it might never end "
         "[file-unreadable]\n"},
        {"/dev/null", true, 0,
         "main:3:7: error: include: '/dev/null' is not a regular file, so to read it might never "
         "end [file-unreadable]\n"},
        {"/dev/null", false, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample sample = sample_open("");
        struct input *input = input_new(rows[i].care, sample.arena, sample.arena, sample.diag);
        struct place place = rows[i].is_included ? asked_at : (struct place){0};
        struct slice bytes = {0};
        const char *name;
        int result = input_read(input, rows[i].path, place, &name, &bytes);

        if ((result == 0) != (rows[i].want[0] == '\0'))
            fail_msg("row %zu: returned %d", i, result);
        if (!sample_has(&sample, rows[i].path, rows[i].want))
            fail_msg("row %zu failed", i);
        input_free(input);
        sample_done(&sample);
    }
}

/* A change after the file was read is found at the end. */
static void test_changed(void **state)
{
    struct sample sample = sample_open("a: b\n");
    struct input *input = input_new(0, sample.arena, sample.arena, sample.diag);
    const char *name;
    struct slice bytes;

    (void)state;
    assert_int_equal(input_read(input, sample.file.path, (struct place){0}, &name, &bytes), 0);
    assert_int_equal(pwrite(sample.file.fd, "a: bc\n", 6, 0), 6);
    input_check(input);
    assert_true(sample_has(&sample, "changed",
                           "f: error: the file has changed while the configuration was read; try "
                           "again [file-unreadable]\n"));
    assert_true(slice_eq_text(bytes, "a: b\n"));
    input_free(input);
    sample_done(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
