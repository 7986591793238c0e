/* SPDX-License-Identifier: MIT */
#include "lib/config/include.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/yaml/decode.h"

enum {
    PATH_QUOTE_MAX = 512,
};

/* What a file is, whatever path leads to it. */
struct file_identity {
    dev_t device;
    ino_t inode;
    bool is_special; /* not a regular file; to read a pipe might never end */
};

struct include_search {
    struct arena *arena;
    struct diag *diag;
    struct file_identity main;
    struct include_file *files;
    struct file_identity *identities; /* of the files */
    size_t n_files;
    bool has_too_many;
    int result;
};

static void include_report(struct include_search *search, enum finding finding,
                           const struct field_text *include, const char *path, const char *why)
{
    char quoted[PATH_QUOTE_MAX];

    diag_add(search->diag, finding, include->place, "include", "%s %s",
             err_quote(quoted, sizeof(quoted), slice_of(path)), why);
    search->result = -1;
}

/* A file that stat() cannot see equals no other; reading it will say why. */
static struct file_identity file_identity_of(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return (struct file_identity){0};
    return (struct file_identity){status.st_dev, status.st_ino, !S_ISREG(status.st_mode)};
}

static bool is_same_file(struct file_identity a, struct file_identity b)
{
    return a.inode != 0 && a.inode == b.inode && a.device == b.device;
}

static bool is_listed_file(const struct include_search *search, struct file_identity identity)
{
    for (size_t i = 0; i < search->n_files; i++)
        if (is_same_file(search->identities[i], identity))
            return true;
    return false;
}

/* A file that is read twice would report every line as a duplicate of itself. */
static void include_add_file(struct include_search *search, const struct field_text *include,
                             const char *path)
{
    struct file_identity identity = file_identity_of(path);

    if (identity.is_special) {
        include_report(search, FINDING_FILE_UNREADABLE, include, path,
                       "is a directory, pipe or device; only files are included");
    } else if (is_same_file(identity, search->main)) {
        include_report(search, FINDING_BAD_VALUE, include, path,
                       "is the main file itself; keep the included files in a folder of their own");
    } else if (is_listed_file(search, identity)) {
        include_report(
            search, FINDING_BAD_VALUE, include, path,
            "is included already; each file is read once, so drop or change this pattern");
    } else {
        search->identities[search->n_files] = identity;
        search->files[search->n_files++] =
            (struct include_file){arena_copy(search->arena, slice_of(path)), include->place};
    }
}

/* glob() would pass over a directory that it may not read, and its domains would be gone. */
static int stop_at_unreadable(const char *path, int reason)
{
    (void)path;
    return reason != ENOENT && reason != ENOTDIR;
}

static void add_matches(struct include_search *search, const struct field_text *include,
                        const char *pattern, const char *shown)
{
    glob_t matches = {0};
    int result = glob(pattern, 0, stop_at_unreadable, &matches);

    if (result == GLOB_NOMATCH)
        include_report(
            search, FINDING_INCLUDE_EMPTY, include, shown,
            "matches no file; fix it or take it out (relative ones begin in the main file's "
            "folder)");
    else if (result != 0)
        include_report(search, FINDING_FILE_UNREADABLE, include, shown,
                       "leads into a directory that cannot be read");
    for (size_t i = 0; i < matches.gl_pathc; i++) {
        if (search->n_files == CONFIG_FILES_MAX) {
            diag_add(search->diag, FINDING_TOO_LARGE, include->place, "include",
                     "more than %d files are included; put several into one", CONFIG_FILES_MAX);
            search->has_too_many = true;
            search->result = -1;
            break;
        }
        include_add_file(search, include, matches.gl_pathv[i]);
    }
    globfree(&matches);
}

/* Writes a folder's name as a pattern that matches this name only; at most twice as long. */
static size_t escape_pattern(char *buffer, struct slice folder)
{
    size_t len = 0;

    for (size_t i = 0; i < folder.len; i++) {
        if (memchr("*?[\\", folder.ptr[i], 4))
            buffer[len++] = '\\';
        buffer[len++] = folder.ptr[i];
    }
    return len;
}

/* The folder of the main file, with its slash. */
static struct slice folder_of(const char *main_path)
{
    const char *slash = strrchr(main_path, '/');

    return (struct slice){main_path, slash ? (size_t)(slash - main_path) + 1 : 0};
}

/* A pattern as glob() takes it, and as findings show it: both with the main file's folder. */
struct include_pattern {
    char *text, *shown;
};

static struct include_pattern make_pattern(struct slice folder, struct slice include,
                                           struct arena *arena)
{
    size_t size = 2 * folder.len + include.len + 1;
    struct include_pattern pattern = {arena_alloc(arena, size), arena_alloc(arena, size)};

    if (include.ptr[0] == '/')
        folder.len = 0;
    snprintf(pattern.text + escape_pattern(pattern.text, folder), include.len + 1, "%s",
             include.ptr);
    snprintf(pattern.shown, size, "%.*s%s", SLICE_ARG(folder), include.ptr);
    return pattern;
}

static void add_pattern(struct include_search *search, struct slice folder,
                        const struct field_text *include)
{
    struct include_pattern pattern = make_pattern(folder, include->text, search->arena);

    add_matches(search, include, pattern.text, pattern.shown);
}

int include_files_find(const char *main_path, const struct field_texts *patterns,
                       struct arena *arena, struct diag *diag, struct include_files *ret_files)
{
    struct include_search search = {
        .arena = arena, .diag = diag, .main = file_identity_of(main_path)};
    const size_t max = patterns->n_items > 0 ? CONFIG_FILES_MAX : 0;
    struct slice folder = folder_of(main_path);

    search.files = arena_array(arena, max, sizeof(*search.files));
    search.identities = arena_array(arena, max, sizeof(*search.identities));
    for (size_t i = 0; i < patterns->n_items && !search.has_too_many; i++)
        if (patterns->items[i].text.len > 0)
            add_pattern(&search, folder, &patterns->items[i]);
    *ret_files = (struct include_files){search.files, search.n_files};
    return search.result;
}

static bool is_same_place(struct place a, struct place b)
{
    return a.line == b.line && a.column == b.column;
}

static bool matches_same(const char *pattern, const struct include_file *files, size_t n_files)
{
    glob_t matches = {0};
    bool is_same = glob(pattern, 0, stop_at_unreadable, &matches) == 0;

    is_same = is_same && matches.gl_pathc == n_files;
    for (size_t i = 0; is_same && i < n_files; i++)
        is_same = strcmp(matches.gl_pathv[i], files[i].path) == 0;
    globfree(&matches);
    return is_same;
}

void include_files_check(const char *main_path, const struct field_texts *patterns,
                         struct arena *arena, const struct include_files *files, struct diag *diag)
{
    struct include_search search = {.arena = arena, .diag = diag};
    struct slice folder = folder_of(main_path);
    size_t first = 0, next = 0;

    for (size_t i = 0; i < patterns->n_items; i++, first = next) {
        const struct field_text *include = &patterns->items[i];
        struct include_pattern pattern;

        if (include->text.len == 0)
            continue;
        pattern = make_pattern(folder, include->text, arena);
        while (next < files->n_items && is_same_place(files->items[next].asked_at, include->place))
            next++;
        if (!matches_same(pattern.text, files->items + first, next - first))
            include_report(&search, FINDING_FILE_UNREADABLE, include, pattern.shown,
                           "matches other files than when the configuration was read; try again");
    }
}
