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
#include "lib/config/config.h"

static const char host_variable[] = "{host}";
static const char glob_characters[] = "*?[\\";

/* Whether `path` is `directory` or below it; both are without links. */
static bool is_within(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    if (strcmp(directory, "/") == 0)
        return true;
    return strncmp(path, directory, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* The length of the first `len` bytes of a path without the last name in them. */
static size_t parent_len(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 0 && path[len - 1] == '/')
        len--;
    return len;
}

static const char *first_part(struct arena *arena, const char *path, size_t len)
{
    if (len == 0)
        return path[0] == '/' ? "/" : ".";
    return arena_copy(arena, slice_range(slice_of(path), 0, len));
}

/* The directory of what the first `len` bytes of a path are or begin. */
static const char *directory_of(struct arena *arena, const char *path, size_t len)
{
    return first_part(arena, path, parent_len(path, len));
}

static const char *join(struct arena *arena, const char *directory, const char *rest)
{
    char *path = arena_alloc(arena, strlen(directory) + strlen(rest) + 2);

    rest += strspn(rest, "/");
    if (*rest == '\0')
        return directory;
    return strcat(strcat(strcpy(path, strcmp(directory, "/") == 0 ? "" : directory), "/"), rest);
}

/* Finds `directory`, or the nearest one above it that is there. */
static int find(struct arena *arena, const char *directory, struct reach_directory *ret_found)
{
    size_t len = strlen(directory);
    char real[PATH_MAX];
    struct stat status;

    while (!realpath(first_part(arena, directory, len), real)) {
        /* A working directory that is gone: nothing relative to it can be read anyway. */
        if (len == 0)
            return -1;
        len = parent_len(directory, len);
    }
    if (stat(real, &status) != 0)
        return -1;
    ret_found->path = arena_copy(arena, slice_of(real));
    ret_found->named = join(arena, ret_found->path, directory + len);
    ret_found->device = status.st_dev;
    ret_found->inode = status.st_ino;
    return 0;
}

static bool is_live(const char *path)
{
    return strcmp(strrchr(path, '/'), "/live") == 0;
}

/* One in another would be right as well, but is too much for a log line. */
static void keep(struct reach *reach, const struct reach_directory *directory)
{
    size_t n_kept = 0;

    for (size_t i = 0; i < reach->n_read; i++)
        if (is_within(directory->named, reach->read[i].named))
            return;
    for (size_t i = 0; i < reach->n_read; i++)
        if (!is_within(reach->read[i].named, directory->named))
            reach->read[n_kept++] = reach->read[i];
    reach->read = memory_resize(reach->read, n_kept + 1, sizeof(*reach->read));
    reach->read[n_kept] = *directory;
    reach->n_read = n_kept + 1;
}

static void add_directory(struct reach *reach, const char *directory)
{
    struct arena *arena = reach->arena;
    struct reach_directory found;

    if (find(arena, directory, &found) != 0)
        return;
    if (is_live(found.named) &&
        find(arena, directory_of(arena, found.named, strlen(found.named)), &found) != 0)
        return;
    keep(reach, &found);
}

static void add_file(struct reach *reach, const char *path)
{
    char real[PATH_MAX];

    add_directory(reach, directory_of(reach->arena, path, strlen(path)));
    if (realpath(path, real))
        add_directory(reach, directory_of(reach->arena, real, strlen(real)));
}

static void add_source(struct reach *reach, const char *path)
{
    const char *variable = strstr(path, host_variable);

    if (variable)
        add_directory(reach, directory_of(reach->arena, path, (size_t)(variable - path)));
    else
        add_file(reach, path);
}

/* The files that match now, as they may be links, and the directory in which others will. */
static void add_include(struct reach *reach, const char *config_path, const char *include)
{
    struct arena *arena = reach->arena;
    const char *folder = directory_of(arena, config_path, strlen(config_path));
    const char *pattern = include[0] == '/' ? include : join(arena, folder, include);
    glob_t matches = {0};

    add_directory(reach, directory_of(arena, pattern, strcspn(pattern, glob_characters)));
    glob(pattern, 0, NULL, &matches);
    for (size_t i = 0; i < matches.gl_pathc; i++)
        add_file(reach, matches.gl_pathv[i]);
    globfree(&matches);
}

static void add_socket(struct reach *reach, const char *path)
{
    struct reach_directory found;

    if (find(reach->arena, directory_of(reach->arena, path, strlen(path)), &found) == 0)
        reach->sockets[reach->n_sockets++] = found.path;
}

struct reach *reach_new(const struct config *config, const char *config_path)
{
    struct reach *reach = memory_alloc(sizeof(*reach));

    *reach = (struct reach){.arena = arena_new(0)};
    if (strcmp(config_path, "-") != 0)
        add_file(reach, config_path);
    for (size_t i = 0; i < config->n_includes; i++)
        add_include(reach, config_path, config->includes[i]);
    for (size_t i = 0; i < config->n_sources; i++) {
        add_source(reach, config->sources[i].chain);
        add_source(reach, config->sources[i].key);
    }
    reach->sockets = arena_array(reach->arena, config->n_listen + 1, sizeof(*reach->sockets));
    add_socket(reach, config->control);
    for (size_t i = 0; i < config->n_listen; i++)
        if (config->listen[i].kind == LISTEN_UNIX)
            add_socket(reach, config->listen[i].host);
    return reach;
}

void reach_free(struct reach *reach)
{
    if (!reach)
        return;
    arena_free(reach->arena);
    free(reach->read);
    free(reach);
}

static bool holds(const struct reach *reach, const char *path)
{
    for (size_t i = 0; i < reach->n_read; i++)
        if (is_within(path, reach->read[i].path))
            return true;
    return false;
}

const char *reach_find_outside(const struct reach *reach, const struct reach *next)
{
    for (size_t i = 0; i < next->n_read; i++)
        if (!holds(reach, next->read[i].named))
            return next->read[i].named;
    return NULL;
}
