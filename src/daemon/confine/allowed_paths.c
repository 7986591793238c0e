/* SPDX-License-Identifier: MIT */
#include "daemon/confine/allowed_paths.h"

#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/tls/cert_store.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/cert_path.h"
#include "lib/config/config.h"

static const char glob_characters[] = "*?[\\";

/* Whether `path` is `directory` or below it; both are free of links. */
static bool path_is_within(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    if (strcmp(directory, "/") == 0)
        return true;
    return strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* The length of the parent of the first `len` bytes of a path, without its last slash. */
static size_t path_parent_len(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 0 && path[len - 1] == '/')
        len--;
    return len;
}

static const char *path_prefix(struct arena *arena, const char *path, size_t len)
{
    if (len == 0)
        return path[0] == '/' ? "/" : ".";
    return arena_copy(arena, slice_range(slice_of(path), 0, len));
}

/* The directory of the file whose path is, or begins with, the first `len` bytes of `path`. */
static const char *path_directory(struct arena *arena, const char *path, size_t len)
{
    return path_prefix(arena, path, path_parent_len(path, len));
}

static const char *path_join(struct arena *arena, const char *directory, const char *rest)
{
    char *path = arena_alloc(arena, strlen(directory) + strlen(rest) + 2);

    rest += strspn(rest, "/");
    if (*rest == '\0')
        return directory;
    return strcat(strcat(strcpy(path, strcmp(directory, "/") == 0 ? "" : directory), "/"), rest);
}

/* Finds `directory` or its nearest existing parent. */
static int directory_find(struct arena *arena, const char *directory,
                          struct allowed_directory *ret_found)
{
    size_t len = strlen(directory);
    char real[PATH_MAX];
    struct stat status;

    while (!realpath(path_prefix(arena, directory, len), real)) {
        /* The working directory was removed: no relative path can be read anyway. */
        if (len == 0)
            return -1;
        len = path_parent_len(directory, len);
    }
    if (stat(real, &status) != 0)
        return -1;
    ret_found->actual = arena_copy(arena, slice_of(real));
    ret_found->wanted = path_join(arena, ret_found->actual, directory + len);
    ret_found->device = status.st_dev;
    ret_found->inode = status.st_ino;
    return 0;
}

static bool directory_is_live(const char *path)
{
    return strcmp(strrchr(path, '/'), "/live") == 0;
}

bool allowed_paths_contain(const struct allowed_paths *allowed, const char *path)
{
    for (size_t i = 0; i < allowed->n_read; i++)
        if (path_is_within(path, allowed->read[i].actual))
            return true;
    return false;
}

/* Landlock would accept a directory within another, but the log line is shorter without. */
static void allowed_paths_add(struct allowed_paths *allowed,
                              const struct allowed_directory *directory)
{
    size_t n_kept = 0;

    for (size_t i = 0; i < allowed->n_read; i++)
        if (path_is_within(directory->wanted, allowed->read[i].wanted))
            return;
    for (size_t i = 0; i < allowed->n_read; i++)
        if (!path_is_within(allowed->read[i].wanted, directory->wanted))
            allowed->read[n_kept++] = allowed->read[i];
    allowed->read = memory_resize(allowed->read, n_kept + 1, sizeof(*allowed->read));
    allowed->read[n_kept] = *directory;
    allowed->n_read = n_kept + 1;
}

/* Whether a directory holds far more than one that would be made in it. */
static bool directory_is_wide(const char *path)
{
    return !strchr(path + 1, '/');
}

static bool allowed_paths_miss(const struct allowed_paths *allowed, const char *directory)
{
    for (size_t i = 0; i < allowed->n_missing; i++)
        if (path_is_within(directory, allowed->missing[i]))
            return true;
    return false;
}

static void allowed_paths_add_missing(struct allowed_paths *allowed, const char *directory)
{
    if (allowed_paths_miss(allowed, directory) || allowed_paths_contain(allowed, directory))
        return;
    allowed->missing =
        memory_resize(allowed->missing, allowed->n_missing + 1, sizeof(*allowed->missing));
    allowed->missing[allowed->n_missing++] = directory;
}

static void allow_directory(struct allowed_paths *allowed, const char *directory)
{
    struct arena *arena = allowed->arena;
    struct allowed_directory found;

    if (directory_find(arena, directory, &found) != 0)
        return;
    if (directory_is_live(found.wanted) &&
        directory_find(arena, path_directory(arena, found.wanted, strlen(found.wanted)), &found) !=
            0)
        return;
    if (strcmp(found.actual, found.wanted) != 0 && directory_is_wide(found.actual))
        allowed_paths_add_missing(allowed, found.wanted);
    else
        allowed_paths_add(allowed, &found);
}

static void allow_file(struct allowed_paths *allowed, const char *path)
{
    char real[PATH_MAX];

    allow_directory(allowed, path_directory(allowed->arena, path, strlen(path)));
    if (realpath(path, real))
        allow_directory(allowed, path_directory(allowed->arena, real, strlen(real)));
}

static void allow_cert_source(struct allowed_paths *allowed, const char *path)
{
    size_t fixed_len = cert_path_fixed_len(path);

    if (path[fixed_len] != '\0')
        allow_directory(allowed, path_directory(allowed->arena, path, fixed_len));
    else
        allow_file(allowed, path);
}

/* Files that match now may be links to elsewhere; later files appear in the same directory. */
static void allow_include(struct allowed_paths *allowed, const char *config_path,
                          const char *include)
{
    struct arena *arena = allowed->arena;
    const char *folder = path_directory(arena, config_path, strlen(config_path));
    const char *pattern = include[0] == '/' ? include : path_join(arena, folder, include);
    glob_t matches = {0};

    allow_directory(allowed, path_directory(arena, pattern, strcspn(pattern, glob_characters)));
    glob(pattern, 0, NULL, &matches);
    for (size_t i = 0; i < matches.gl_pathc; i++)
        allow_file(allowed, matches.gl_pathv[i]);
    globfree(&matches);
}

static void allow_socket(struct allowed_paths *allowed, const char *path)
{
    struct allowed_directory found;

    if (directory_find(allowed->arena, path_directory(allowed->arena, path, strlen(path)),
                       &found) == 0)
        allowed->sockets[allowed->n_sockets++] = found.actual;
}

/* A directory that could not be made is no loss: nothing is kept then. */
static void allow_state(struct allowed_paths *allowed, const char *directory)
{
    char real[PATH_MAX];

    if (directory && realpath(directory, real))
        allowed->state = arena_copy(allowed->arena, slice_of(real));
}

struct allowed_paths *allowed_paths_new(const struct config *config, const char *config_path)
{
    struct allowed_paths *allowed = memory_alloc(sizeof(*allowed));

    *allowed = (struct allowed_paths){.arena = arena_new(0)};
    if (strcmp(config_path, "-") != 0)
        allow_file(allowed, config_path);
    for (size_t i = 0; i < config->n_includes; i++)
        allow_include(allowed, config_path, config->includes[i]);
    for (size_t i = 0; i < config->n_sources; i++) {
        allow_cert_source(allowed, config->sources[i].chain);
        allow_cert_source(allowed, config->sources[i].key);
    }
    allow_state(allowed, config->state);
    allowed->sockets = arena_array(allowed->arena, config->n_listen + 1, sizeof(*allowed->sockets));
    allow_socket(allowed, config->control);
    for (size_t i = 0; i < config->n_listen; i++)
        if (config->listen[i].kind == LISTEN_UNIX)
            allow_socket(allowed, config->listen[i].host);
    return allowed;
}

void allowed_paths_free(struct allowed_paths *allowed)
{
    if (!allowed)
        return;
    arena_free(allowed->arena);
    free(allowed->missing);
    free(allowed->read);
    free(allowed);
}

const char *allowed_paths_find_outside(const struct allowed_paths *allowed,
                                       const struct allowed_paths *next)
{
    for (size_t i = 0; i < next->n_read; i++)
        if (!allowed_paths_contain(allowed, next->read[i].wanted) &&
            !allowed_paths_miss(allowed, next->read[i].wanted))
            return next->read[i].wanted;
    for (size_t i = 0; i < next->n_missing; i++)
        if (!allowed_paths_contain(allowed, next->missing[i]) &&
            !allowed_paths_miss(allowed, next->missing[i]))
            return next->missing[i];
    return NULL;
}
