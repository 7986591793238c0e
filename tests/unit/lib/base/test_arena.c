/* SPDX-License-Identifier: MIT */
#include "lib/base/arena.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* Around the first block (4 KiB) and the largest (256 KiB), where a new block begins. */
static const size_t sizes[] = {0,           1,
                               7,           8,
                               15,          16,
                               17,          4080,
                               4095,        4096,
                               4097,        8192,
                               64 * 1024,   256 * 1024 - 1,
                               256 * 1024,  256 * 1024 + 1,
                               1024 * 1024, 3,
                               4096,        5};

static void check_alloc(struct arena *arena)
{
    unsigned char *blocks[ARRAY_LEN(sizes)];
    size_t total = 0;

    assert_int_equal(arena_used(arena), 0);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        blocks[i] = arena_alloc(arena, sizes[i]);
        total += sizes[i];
        if (!blocks[i] || (uintptr_t)blocks[i] % alignof(max_align_t) != 0)
            fail_msg("row %zu: wanted aligned memory, saw %p", i, (void *)blocks[i]);
        for (size_t j = 0; j < sizes[i]; j++)
            if (blocks[i][j] != 0)
                fail_msg("row %zu: wanted zeroes, saw 0x%02x at %zu", i, blocks[i][j], j);
        memset(blocks[i], (int)i + 1, sizes[i]);
    }
    assert_int_equal(arena_used(arena), total);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t j = 0; j < sizes[i]; j++)
            if (blocks[i][j] != i + 1)
                fail_msg("row %zu: wanted its own bytes, saw 0x%02x at %zu", i, blocks[i][j], j);
    arena_free(arena);
}

/* Bytes of its own, also after a string that ends anywhere. */
static void test_space(void **state)
{
    struct arena *arena = arena_new(100);
    char *first = arena_space(arena, 3), *second = arena_space(arena, 97);

    (void)state;
    memset(first, 'a', 3);
    memset(second, 'b', 97);
    assert_memory_equal(first, "aaa", 3);
    assert_int_equal(arena_used(arena), 100);
    assert_null(arena_space(arena, 1));
    arena_free(arena);
}

static void test_alloc(void **state)
{
    (void)state;
    check_alloc(arena_new(0));
    check_alloc(arena_new_large());
}

static void test_copy(void **state)
{
    static const struct {
        struct slice bytes;
    } rows[] = {{{NULL, 0}}, {{"", 0}}, {{"a", 1}}, {{"a\0b", 3}}, {{"\xff", 1}}};
    struct arena *arena = arena_new(0);
    char *previous = arena_copy(arena, slice_of("x"));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t before = arena_used(arena), len = rows[i].bytes.len;
        char *copy = arena_copy(arena, rows[i].bytes);

        if (!slice_eq((struct slice){copy, len}, rows[i].bytes) || copy[len] != '\0')
            fail_msg("row %zu: wanted the bytes and a NUL, saw '%s'", i, copy);
        if (arena_used(arena) - before != len + 1 || copy <= previous)
            fail_msg("row %zu: wanted %zu bytes without padding, saw %zu", i, len + 1,
                     arena_used(arena) - before);
        previous = copy;
    }
    assert_int_equal((uintptr_t)arena_alloc(arena, 1) % alignof(max_align_t), 0);
    arena_free(arena);
}

static void test_cap(void **state)
{
    struct arena *arena = arena_new(10);

    (void)state;
    assert_null(arena_alloc(arena, 11));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_non_null(arena_alloc(arena, 6));
    assert_null(arena_array(arena, 1, 5));
    assert_null(arena_copy(arena, slice_of("abcd"))); /* its NUL is the eleventh */
    assert_int_equal(arena_used(arena), 6);
    assert_string_equal(arena_copy(arena, slice_of("abc")), "abc");
    assert_int_equal(arena_used(arena), 10);
    assert_non_null(arena_alloc(arena, 0));
    assert_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    assert_non_null(arena_alloc(arena, 10));
    arena_free(arena);
}

static void test_reset(void **state)
{
    struct arena *arena = arena_new(0);
    char *first;

    (void)state;
    arena_reset(arena);
    first = arena_alloc(arena, 100);
    memset(first, 'x', 100);
    arena_reset(arena);
    assert_ptr_equal(arena_alloc(arena, 100), first); /* the block was kept ... */
    assert_int_equal(first[99], 0);                   /* ... and is zeroed again */
    assert_non_null(arena_alloc(arena, 1024 * 1024));
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    arena_free(arena);
    arena_free(NULL);
}

static void test_array(void **state)
{
    struct arena *arena = arena_new(0);
    uint64_t *numbers = arena_array(arena, 3, sizeof(*numbers));

    (void)state;
    assert_int_equal(numbers[0] | numbers[1] | numbers[2], 0);
    assert_int_equal(arena_used(arena), 24);
    assert_non_null(arena_array(arena, 0, SIZE_MAX));
    arena_free(arena);
}

/* The signal that ends a child which asks for more elements than there are addresses. */
static int overflow_in_child(void)
{
    int status;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        arena_array(arena_new(0), SIZE_MAX / 2, 3);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_array_overflow_aborts(void **state)
{
    (void)state;
    assert_int_equal(overflow_in_child(), SIGABRT);
}

static void test_wipe(void **state)
{
    struct arena *arena = arena_new(0);
    char *small = arena_copy(arena, (struct slice){"secret", 6});
    char *large = arena_alloc(arena, 100 * 1000);

    (void)state;
    large[0] = large[99999] = 1;
    arena_wipe(arena);
    assert_int_equal(small[0], 0);
    assert_int_equal(large[0], 0);
    assert_int_equal(large[99999], 0);
    arena_free(arena);
}

static void test_memory(void **state)
{
    unsigned char *memory = memory_alloc(2);

    (void)state;
    memory[0] = 1;
    memory[1] = 2;
    memory = memory_resize(memory, 1000, 3);
    assert_int_equal(memory[0], 1);
    assert_int_equal(memory[1], 2);
    memory[2999] = 3;
    free(memory);
    free(memory_resize(NULL, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_array_overflow_aborts),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
