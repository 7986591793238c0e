/* SPDX-License-Identifier: MIT */
#include "daemon/child/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

static const char *const first[] = {"mta-stsd", PROGRAM_SPAWNER};
static const char *const texts[] = {"/bin/a", "on-change", "", "2"};

static void test_beside(void **state)
{
    char *path = program_find_beside("mta-stsd-other"), *own = program_find_beside("");

    (void)state;
    assert_int_equal(path[0], '/');
    assert_string_equal(strrchr(path, '/'), "/mta-stsd-other");
    assert_int_equal(strncmp(path, own, strlen(own)), 0);
    assert_int_equal(access(own, F_OK), 0);
    free(path);
    free(own);
}

static void test_nothing_configured(void **state)
{
    struct arena *arena = arena_new(0);
    struct program_commands commands = {0};
    const char *const *argv = program_argv_make(arena, first, ARRAY_LEN(first), &commands);

    (void)state;
    assert_string_equal(argv[0], "mta-stsd");
    assert_string_equal(argv[1], PROGRAM_SPAWNER);
    assert_null(argv[2]);
    assert_int_equal(program_commands_parse(argv + 2, 0, &commands), 0);
    for (size_t i = 0; i < PROGRAM_COUNT; i++)
        assert_int_equal(commands.of[i].n_texts, 0);
    arena_free(arena);
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (size_t n_texts = 1; n_texts <= ARRAY_LEN(texts); n_texts++) {
        struct arena *arena = arena_new(0);
        const struct program_commands given = {.of = {[ON_CHANGE] = {texts, n_texts}}};
        const char *const *argv = program_argv_make(arena, first, ARRAY_LEN(first), &given);
        struct program_commands read = {0};
        size_t n_argv = 0;

        while (argv[n_argv])
            n_argv++;
        assert_int_equal(program_commands_parse(argv + 2, n_argv - 2, &read), 0);
        assert_int_equal(read.of[TRIAL_LOAD].n_texts, 0);
        assert_int_equal(read.of[ON_CHANGE].n_texts, n_texts);
        for (size_t i = 0; i < n_texts; i++)
            assert_string_equal(read.of[ON_CHANGE].texts[i], texts[i]);
        arena_free(arena);
    }
}

/* The program that is mta-stsd itself takes no command from anybody. */
static void test_other_arguments(void **state)
{
    static const struct {
        const char *argv[8];
        size_t n_argv;
    } rows[] = {
        {{""}, 1},
        {{"on-change"}, 1},
        {{"on-change", "0"}, 2},
        {{"on-change", "1"}, 2},
        {{"on-change", "-1", "/bin/a"}, 3},
        {{"on-change", "x", "/bin/a"}, 3},
        {{"on-change", "2", "/bin/a"}, 3},
        {{"on-change", "1", "/bin/a", "b"}, 4},
        {{"on-change", "1", "/bin/a", "on-change", "1", "/bin/b"}, 6},
        {{"on-change", "18446744073709551615", "/bin/a"}, 3},
        {{"trial-load", "1", "/bin/a"}, 3},
        {{PROGRAM_TRIAL_LOAD, "1", "/bin/a"}, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct program_commands commands = {.of = {[ON_CHANGE] = {texts, 1}}};

        if (program_commands_parse(rows[i].argv, rows[i].n_argv, &commands) == 0 ||
            commands.of[ON_CHANGE].texts != texts)
            fail_msg("row %zu is taken", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_nothing_configured),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_other_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
