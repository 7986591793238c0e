/* SPDX-License-Identifier: MIT */
/* Stands in for libFuzzer: gives each file of a folder to the fuzz target, once. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"

#include "require.h"

enum {
    INPUT_MAX = 16 * 1024 * 1024,
};

static int replay(const char *path)
{
    struct arena *arena = arena_new(0);
    struct slice input;
    struct err err;
    uint8_t *bytes;

    if (file_read(path, INPUT_MAX, arena, &input, &err) != 0) {
        fprintf(stderr, "%s %s\n", path, err.msg);
        arena_free(arena);
        return -1;
    }
    /* A copy of exactly this size, so that a sanitizer sees the first byte read behind it. */
    bytes = memory_alloc(input.len);
    memcpy(bytes, input.ptr, input.len);
    arena_free(arena);
    printf("%s\n", path);
    fflush(stdout); /* the last line names the input of a crash */
    LLVMFuzzerTestOneInput(bytes, input.len);
    free(bytes);
    return 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int n_entries = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    int n_replayed = 0;

    for (int i = 0; i < n_entries; i++) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
        n_replayed += replay(path) == 0;
        free(entries[i]);
    }
    free(entries);
    if (n_entries > 0 && n_replayed == n_entries)
        return 0;
    fprintf(stderr, "usage: %s FOLDER, with at least one input, all of them readable\n", argv[0]);
    return 1;
}
