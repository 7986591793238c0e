/* SPDX-License-Identifier: MIT */
#include "lib/config/written_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/yaml/decode.h"

static void test_paths(void **state)
{
    static const struct {
        const char *file, *text, *wanted;
    } rows[] = {
        {"/etc/mta-stsd/mta-stsd.yaml", "a.pem", "/etc/mta-stsd/a.pem"},
        {"/etc/mta-stsd/mta-stsd.yaml", "/a.pem", "/a.pem"},
        {"/a.yaml", "b/c", "/b/c"},
        {"d/a.yaml", "../c", "d/../c"},
        {"a.yaml", "c", "c"},
        {NULL, "c", "c"}, /* a default */
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct field_text raw = {slice_of(rows[i].text), {rows[i].file, 1, 1}};
        const char *path = written_path_resolve(arena, &raw);

        if (strcmp(path, rows[i].wanted) != 0)
            fail_msg("row %zu: '%s'", i, path);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
