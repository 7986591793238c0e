/* SPDX-License-Identifier: MIT */
#include "lib/config/written_path.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/yaml/decode.h"

const char *written_path_resolve(struct arena *arena, const struct field_text *raw)
{
    const char *slash = raw->place.file ? strrchr(raw->place.file, '/') : NULL;
    size_t folder_len = slash ? (size_t)(slash - raw->place.file) + 1 : 0, size;
    char *path;

    if (folder_len == 0 || slice_starts_with(raw->text, "/"))
        return arena_copy(arena, raw->text);
    size = folder_len + raw->text.len + 1;
    path = arena_alloc(arena, size);
    snprintf(path, size, "%.*s%s", (int)folder_len, raw->place.file, raw->text.ptr);
    return path;
}
