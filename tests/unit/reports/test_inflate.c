/* SPDX-License-Identifier: MIT */
#include "reports/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"

/* Compresses; the arena owns the result. */
static struct slice gzip_of(struct slice bytes, struct arena *arena)
{
    z_stream stream = {0};
    char *packed;
    size_t len;

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    len = deflateBound(&stream, bytes.len);
    packed = arena_space(arena, len);
    stream.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    stream.avail_in = (uInt)bytes.len;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)len;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    len = stream.total_out;
    deflateEnd(&stream);
    return (struct slice){packed, len};
}

static struct slice joined(struct slice a, struct slice b, struct arena *arena)
{
    char *bytes = arena_space(arena, a.len + b.len);

    memcpy(bytes, a.ptr, a.len);
    memcpy(bytes + a.len, b.ptr, b.len);
    return (struct slice){bytes, a.len + b.len};
}

/* "{", random letters that do not compress, then spaces. */
static struct slice made_object(size_t n_random, size_t n_spaces, struct arena *arena)
{
    size_t len = 1 + n_random + n_spaces;
    char *bytes = arena_space(arena, len);
    uint32_t random = 1;

    memset(bytes, ' ', len);
    bytes[0] = '{';
    for (size_t i = 0; i < n_random; i++) {
        random = random * 1664525 + 1013904223;
        bytes[1 + i] = (char)(' ' + (random >> 24) % 95);
    }
    return (struct slice){bytes, len};
}

static void expect(const char *what, struct slice body, const char *want)
{
    struct arena *arena = arena_new(0);
    struct slice json = {0};
    struct err err = {0};
    char seen[300];

    if (inflate_body(body, arena, &json, &err) != 0)
        snprintf(seen, sizeof(seen), "!%s", err.msg);
    else if (json.len < 40)
        snprintf(seen, sizeof(seen), "%.*s", SLICE_ARG(json));
    else
        snprintf(seen, sizeof(seen), "%zu", json.len);
    if (strcmp(seen, want) != 0)
        fail_msg("%s: wanted %s, saw %s", what, want, seen);
    arena_free(arena);
}

static void test_magic_decides(void **state)
{
    struct arena *arena = arena_new(0);
    struct slice json = slice_of("{\"a\":1}"), packed = gzip_of(json, arena);
    struct slice twice = gzip_of(packed, arena), many = packed, damaged;

    (void)state;
    expect("empty", slice_of(""), "!is empty");
    expect("JSON", json, "{\"a\":1}");
    expect("mark", slice_of("\xef\xbb\xbf {}"), "\xef\xbb\xbf {}");
    expect("gzip", packed, "{\"a\":1}");
    expect("padded", joined(packed, (struct slice)SLICE_BYTES("\0\0\0"), arena), "{\"a\":1}");
    expect("two members", joined(packed, packed, arena), "{\"a\":1}{\"a\":1}");
    expect("twice", twice, "{\"a\":1}");
    expect("thrice", gzip_of(twice, arena), "!is compressed more than 2 times");
    expect("cut off", slice_range(packed, 0, packed.len - 1), "!is gzip data that is cut off");
    expect("head", slice_range(packed, 0, 2), "!is gzip data that is cut off");
    expect("second cut off", slice_range(joined(packed, packed, arena), 0, packed.len + 2),
           "!is gzip data that is cut off");
    expect("zip", slice_of("PK\x03\x04"), "!is a zip archive: expected JSON or gzip");
    expect("XML", slice_of("<?xml"), "!is neither JSON nor gzip");
    expect("packed XML", gzip_of(slice_of("<?xml"), arena), "!is neither JSON nor gzip");
    expect("packed nothing", gzip_of(slice_of(""), arena), "!is empty");
    damaged = joined(packed, slice_of(""), arena);
    memcpy((char *)(uintptr_t)damaged.ptr + damaged.len - 8, "xxxx", 4);
    expect("checksum", damaged, "!is damaged gzip data: incorrect data check");
    for (int i = 1; i < INFLATE_MEMBERS_MAX; i++)
        many = joined(many, packed, arena);
    expect("16 members", many, "112");
    expect("17 members", joined(many, packed, arena), "!has more than 16 gzip members");
    arena_free(arena);
}

static void test_bounds(void **state)
{
    struct arena *arena = arena_new(0);
    struct slice bytes;

    (void)state;
    expect("most", made_object(0, INFLATE_MAX - 1, arena), "10485760");
    expect("one more", made_object(0, INFLATE_MAX, arena), "!has more than 10485760 bytes");
    expect("without ratio", gzip_of(made_object(0, INFLATE_FREE - 1, arena), arena), "65536");
    bytes = gzip_of(made_object(100000, INFLATE_MAX - 100001, arena), arena);
    expect("most packed", bytes, "10485760");
    bytes = gzip_of(made_object(100000, INFLATE_MAX - 100000, arena), arena);
    assert_true(bytes.len > 60000);
    assert_int_equal(inflate_body(bytes, arena, &bytes, &(struct err){0}), -1);
    arena_free(arena);
}

/* 20 MiB in 20 kB: no more than the ratio is ever taken. */
static void test_bomb(void **state)
{
    struct arena *arena = arena_new(0), *result = arena_new(0);
    struct slice bytes;
    struct err err;

    (void)state;
    assert_int_equal(file_read(TEST_DATA "/vectors/tlsrpt/bomb-20MiB-spaces.json.gz", 1 << 20,
                               arena, &bytes, &err),
                     0);
    assert_int_equal(inflate_body(bytes, result, &bytes, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.msg, "has 20427 bytes, but more than 4150936 when decompressed");
    assert_int_equal(arena_used(result), 0);
    arena_free(arena);
    arena_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_magic_decides),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_bomb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
