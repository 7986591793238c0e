/* SPDX-License-Identifier: MIT */
#include "lib/import/import_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/diag/diag.h"
#include "lib/import/import_finding.h"

struct import_files {
    struct arena *arena;
    struct import_file *items;
    size_t n_items, n_room;
    size_t n_entries;
};

/* A folder on the way down; a folder within itself is found by its number. */
struct import_folder {
    const struct import_folder *above;
    const char *path;
    dev_t device;
    ino_t inode;
    unsigned depth;
};

struct entry_names {
    struct arena *arena;
    const char **items;
    size_t n_items, n_room;
};

struct import_files *import_files_new(void)
{
    struct import_files *files = memory_alloc(sizeof(*files));

    *files = (struct import_files){.arena = arena_new(0)};
    return files;
}

void import_files_free(struct import_files *files)
{
    if (!files)
        return;
    arena_free(files->arena);
    free(files->items);
    free(files);
}

/* Whoever could write into a web root chose the names there: no escape sequence, no new line. */
static const char *path_for_people(const char *path, struct arena *arena)
{
    size_t size = 4 * strlen(path) + sizeof("''") + sizeof("...");
    char *quoted;

    for (const char *at = path;; at++) {
        if (*at == '\0')
            return path;
        if (*at < 0x20 || *at > 0x7e || *at == '\'' || *at == '\\')
            break;
    }
    quoted = arena_alloc(arena, size);
    err_quote(quoted, size, slice_of(path));
    return quoted;
}

/* A name that the real path has: of a link, or of "." where the command is run. */
static bool find_name_of_real_path(const char *path, char ret_name[DNS_NAME_MAX + 1])
{
    char *real = realpath(path, NULL);
    bool found = real && import_name_find(real, ret_name);

    free(real);
    return found;
}

static void import_files_append(struct import_files *files, const char *path, enum import_look look)
{
    char name[DNS_NAME_MAX + 1];
    bool has_name = import_name_find(path, name) || find_name_of_real_path(path, name);
    const char *copy = arena_copy(files->arena, slice_of(path));

    if (files->n_items == files->n_room) {
        files->n_room = files->n_room > 0 ? 2 * files->n_room : 64;
        files->items = memory_resize(files->items, files->n_room, sizeof(*files->items));
    }
    files->items[files->n_items++] = (struct import_file){
        .path = copy,
        .shown = path_for_people(copy, files->arena),
        .domain = has_name ? arena_copy(files->arena, slice_of(name)) : NULL,
        .look = look,
    };
}

static void report_folder(struct import_files *files, const char *path, enum import_finding finding,
                          const char *what, struct diag *diag)
{
    struct place place = {.file = path_for_people(path, files->arena)};

    diag_add(diag, finding, place, NULL, "%s", what);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool entry_counts(const char *name)
{
    return name[0] != '.' || strcmp(name, ".well-known") == 0;
}

/* Reads the names in a folder, sorted; false if the bound is met. */
static bool folder_read_names(struct import_files *files, DIR *folder, struct entry_names *names)
{
    const struct dirent *entry;

    while ((entry = readdir(folder))) {
        if (!entry_counts(entry->d_name))
            continue;
        if (files->n_entries == IMPORT_ENTRIES_MAX)
            return false;
        files->n_entries++;
        if (names->n_items == names->n_room) {
            names->n_room = names->n_room > 0 ? 2 * names->n_room : 64;
            names->items = memory_resize(names->items, names->n_room, sizeof(*names->items));
        }
        names->items[names->n_items++] = arena_copy(names->arena, slice_of(entry->d_name));
    }
    if (names->n_items > 0)
        qsort(names->items, names->n_items, sizeof(*names->items), compare_names);
    return true;
}

static bool is_within_itself(const struct import_folder *folder)
{
    for (const struct import_folder *above = folder->above; above; above = above->above)
        if (above->device == folder->device && above->inode == folder->inode)
            return true;
    return false;
}

static void import_files_walk(struct import_files *files, const struct import_folder *folder,
                              struct diag *diag);

static void take_entry(struct import_files *files, const struct import_folder *folder,
                       const char *name, struct diag *diag)
{
    size_t size = strlen(folder->path) + sizeof("/") + strlen(name);
    enum import_look look = import_name_look(name);
    char *path = memory_alloc(size);
    struct stat status;

    snprintf(path, size, "%s%s%s", folder->path,
             slice_ends_with(slice_of(folder->path), "/") ? "" : "/", name);
    if (stat(path, &status) != 0) {
        /* A link to nowhere is no policy, unless its name says so. */
        if (look == IMPORT_LOOKS_CERTAIN)
            import_files_append(files, path, look);
    } else if (S_ISDIR(status.st_mode)) {
        struct import_folder inner = {.above = folder,
                                      .path = path,
                                      .device = status.st_dev,
                                      .inode = status.st_ino,
                                      .depth = folder->depth + 1};
        import_files_walk(files, &inner, diag);
    } else if (S_ISREG(status.st_mode) && look != IMPORT_LOOKS_OTHER) {
        import_files_append(files, path, look);
    }
    free(path);
}

static void import_files_walk(struct import_files *files, const struct import_folder *folder,
                              struct diag *diag)
{
    struct entry_names names = {0};
    DIR *stream;

    if (is_within_itself(folder))
        return;
    if (folder->depth > IMPORT_DEPTH_MAX) {
        report_folder(files, folder->path, IMPORT_TOO_MUCH, "the folder is too deep: 32 levels",
                      diag);
        return;
    }
    stream = opendir(folder->path);
    if (!stream) {
        report_folder(files, folder->path, IMPORT_UNREADABLE, strerror(errno), diag);
        return;
    }
    names.arena = arena_new(0);
    if (!folder_read_names(files, stream, &names) && !diag_has(diag, IMPORT_TOO_MUCH))
        report_folder(files, folder->path, IMPORT_TOO_MUCH,
                      "1,000,000 files and folders have been looked at, and the rest was left out",
                      diag);
    closedir(stream); /* before going down, so that only one is open at a time */
    for (size_t i = 0; i < names.n_items; i++)
        take_entry(files, folder, names.items[i], diag);
    arena_free(names.arena);
    free(names.items);
}

int import_files_add(struct import_files *files, const char *path, struct diag *diag,
                     struct err *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return err_io(err, errno, "cannot be read");
    if (S_ISDIR(status.st_mode)) {
        struct import_folder folder = {
            .path = path, .device = status.st_dev, .inode = status.st_ino};
        import_files_walk(files, &folder, diag);
    } else {
        import_files_append(files, path, IMPORT_LOOKS_CERTAIN);
    }
    return 0;
}

const struct import_file *import_files_list(const struct import_files *files, size_t *ret_n)
{
    *ret_n = files->n_items;
    return files->items;
}
