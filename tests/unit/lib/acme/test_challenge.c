/* SPDX-License-Identifier: MIT */
#include "lib/acme/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

#define TOKEN "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
#define ANSWER TOKEN ".nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"

static int set_up(void **state)
{
    char *folder = strcpy(memory_alloc(32), "/tmp/mta-stsd.XXXXXX");

    assert_non_null(mkdtemp(folder));
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(rmdir(*state), 0); /* nothing was left */
    free(*state);
    return 0;
}

static struct slice repeated(char byte, size_t n)
{
    static char text[2 * CHALLENGE_ANSWER_MAX];

    assert_true(n < sizeof(text));
    memset(text, byte, n);
    return (struct slice){text, n};
}

static void test_token(void **state)
{
    static const struct {
        struct slice token;
        bool is_valid;
    } cases[] = {
        {SLICE_BYTES(""), false},    {SLICE_BYTES("a"), true},         {SLICE_BYTES("-"), true},
        {SLICE_BYTES("_"), true},    {SLICE_BYTES(TOKEN), true},       {SLICE_BYTES("."), false},
        {SLICE_BYTES(".."), false},  {SLICE_BYTES("a.b"), false},      {SLICE_BYTES("../a"), false},
        {SLICE_BYTES("a/b"), false}, {SLICE_BYTES("a%2fb"), false},    {SLICE_BYTES("a="), false},
        {SLICE_BYTES("a+"), false},  {SLICE_BYTES("a b"), false},      {SLICE_BYTES("a\0b"), false},
        {SLICE_BYTES("a\n"), false}, {SLICE_BYTES("\xc3\xa4"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (challenge_token_is_valid(cases[i].token) != cases[i].is_valid)
            fail_msg("case %zu", i);
    assert_true(challenge_token_is_valid(repeated('x', CHALLENGE_TOKEN_MAX)));
    assert_false(challenge_token_is_valid(repeated('x', CHALLENGE_TOKEN_MAX + 1)));
}

static void test_answer(void **state)
{
    static const struct {
        const char *answer;
        bool is_valid;
    } cases[] = {
        {"", false},          {TOKEN, false},        {TOKEN ".", false},     {TOKEN ".a", true},
        {ANSWER, true},       {"x" ANSWER, false},   {"." ANSWER, false},    {ANSWER ".", false},
        {ANSWER "\n", false}, {TOKEN ".a.b", false}, {TOKEN "x.abc", false},
    };
    char longest[2 * CHALLENGE_ANSWER_MAX] = TOKEN ".";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (challenge_answer_is_valid(slice_of(cases[i].answer), slice_of(TOKEN)) !=
            cases[i].is_valid)
            fail_msg("case %zu", i);
    memset(longest + strlen(longest), 'x', CHALLENGE_ANSWER_MAX - strlen(longest));
    assert_true(challenge_answer_is_valid(slice_of(longest), slice_of(TOKEN)));
    longest[CHALLENGE_ANSWER_MAX] = 'x';
    assert_false(challenge_answer_is_valid(slice_of(longest), slice_of(TOKEN)));
}

static void test_life(void **state)
{
    char answer[CHALLENGE_ANSWER_MAX + 1];
    struct err err;

    assert_int_equal(challenge_read(*state, slice_of(TOKEN), answer), 0);
    assert_int_equal(challenge_write(*state, TOKEN, TOKEN ".other", &err), 0);
    assert_int_equal(challenge_write(*state, TOKEN, ANSWER, &err), 0);
    assert_int_equal(challenge_read(*state, slice_of(TOKEN), answer), strlen(ANSWER));
    assert_string_equal(answer, ANSWER);
    assert_int_equal(challenge_remove(*state, TOKEN, &err), 0);
    assert_int_equal(challenge_read(*state, slice_of(TOKEN), answer), 0);
    assert_int_equal(challenge_remove(*state, TOKEN, &err), 0);
}

static void test_remove_all(void **state)
{
    char *folder = file_path_below(*state, "folder");
    struct err err;

    assert_int_equal(challenge_remove_all(*state, &err), 0);
    assert_int_equal(challenge_write(*state, TOKEN, ANSWER, &err), 0);
    assert_int_equal(challenge_write(*state, TOKEN ".k3Fx9a", ANSWER, &err), 0); /* half written */
    assert_int_equal(challenge_remove_all(*state, &err), 0);
    assert_int_equal(rmdir(*state), 0);
    assert_int_equal(challenge_remove_all(*state, &err), -1);
    assert_int_equal(mkdir(*state, 0700), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(challenge_remove_all(*state, &err), -1);
    assert_non_null(strstr(err.msg, "folder' cannot be removed: "));
    assert_int_equal(rmdir(folder), 0);
    free(folder);
}

static void test_no_directory(void **state)
{
    char answer[CHALLENGE_ANSWER_MAX + 1];
    struct err err;

    (void)state;
    assert_int_equal(challenge_write("/nonexistent/challenges", TOKEN, ANSWER, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(challenge_read("/nonexistent/challenges", slice_of(TOKEN), answer), 0);
}

static void write_bytes(const char *path, size_t n)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        fputc('x', out);
    assert_int_equal(fclose(out), 0);
}

/* Whatever lies there under the name of a token, and is no challenge. */
static void test_foreign(void **state)
{
    char *path = file_path_below(*state, "token"), *target = file_path_below(*state, "target");
    char answer[CHALLENGE_ANSWER_MAX + 1];
    struct err err;

    write_bytes(target, 10);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), 0);
    assert_int_equal(challenge_remove(*state, "token", &err), -1);
    assert_int_equal(rmdir(path), 0);
    write_bytes(path, CHALLENGE_ANSWER_MAX);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), CHALLENGE_ANSWER_MAX);
    write_bytes(path, CHALLENGE_ANSWER_MAX + 1);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), 0);
    write_bytes(path, 0);
    assert_int_equal(challenge_read(*state, slice_of("token"), answer), 0);
    unlink(path);
    unlink(target);
    free(path);
    free(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_answer),
        cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remove_all, set_up, tear_down),
        cmocka_unit_test(test_no_directory),
        cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
