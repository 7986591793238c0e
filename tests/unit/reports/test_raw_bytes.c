/* SPDX-License-Identifier: MIT */
#include "reports/raw_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

static void test_there_and_back(void **state)
{
    static const struct slice rows[] = {
        SLICE_BYTES(""), SLICE_BYTES("{}"), SLICE_BYTES("\0\1\0"), {0}};
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice bytes;
        struct err err;
        size_t len;
        char *packed = raw_bytes_pack(rows[i], &len);

        if (raw_bytes_unpack((struct slice){packed, len}, arena, &bytes, &err) != 0 ||
            !slice_eq(bytes, rows[i]))
            fail_msg("row %zu: expected the same bytes", i);
        free(packed);
    }
    arena_free(arena);
}

/* Every byte that is missing or changed is noticed. */
static void test_damaged(void **state)
{
    struct arena *arena = arena_new(0);
    struct slice bytes;
    struct err err;
    size_t len;
    char *packed = raw_bytes_pack(slice_of("{\"a\": 1}"), &len);

    (void)state;
    for (size_t i = 0; i < len; i++)
        assert_int_equal(raw_bytes_unpack((struct slice){packed, i}, arena, &bytes, &err), -1);
    packed[3] = 0x7f; /* a length of 2 GB */
    assert_int_equal(raw_bytes_unpack((struct slice){packed, len}, arena, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_SYNTAX);
    free(packed);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
                                              cmocka_unit_test(test_damaged)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
