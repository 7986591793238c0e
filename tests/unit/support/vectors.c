/* SPDX-License-Identifier: MIT */
#include "support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"

struct slice vector_text(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

/* RFC 4648 4; the vectors are ours, so a byte outside the alphabet is padding. */
static struct slice base64_decode(struct slice text, struct arena *arena)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *bytes = arena_alloc(arena, text.len + 1);
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(alphabet, text.ptr[i], sizeof(alphabet) - 1);

        if (!digit)
            break;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            bytes[len++] = (char)(bits >> n_bits & 0xff);
        }
    }
    return (struct slice){bytes, len};
}

struct slice vector_bytes(const json_t *row, const char *key, struct arena *arena)
{
    char key_b64[64];
    const json_t *encoded;

    snprintf(key_b64, sizeof(key_b64), "%s_b64", key);
    encoded = json_object_get(row, key_b64);
    if (encoded)
        return base64_decode(vector_text(encoded), arena);
    return vector_text(json_object_get(row, key));
}

static bool check_row(const char *name, const json_t *row, vector_check *check)
{
    struct arena *arena = arena_new(0);
    bool good = check(row, arena);

    if (!good) {
        const char *note = json_string_value(json_object_get(row, "note"));

        print_error("%s: %s failed (%s)\n", name, json_string_value(json_object_get(row, "id")),
                    note ? note : "no note");
    }
    arena_free(arena);
    return good;
}

void vectors_run(const char *name, vector_check *check)
{
    char path[512];
    json_error_t error;
    json_t *file;
    const json_t *rows;
    size_t n_rows, n_failed = 0;

    snprintf(path, sizeof(path), "%s/vectors/%s", TEST_DATA, name);
    file = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!file)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    rows = json_object_get(file, "vectors");
    n_rows = json_array_size(rows);
    for (size_t i = 0; i < n_rows; i++)
        n_failed += !check_row(name, json_array_get(rows, i), check);
    json_decref(file);
    if (n_rows == 0 || n_failed > 0)
        fail_msg("%s: %zu of %zu rows failed", name, n_failed, n_rows);
}
