/* SPDX-License-Identifier: MIT */
/**
 * Reach: the directories that the daemon has to do with after its start, as the sandbox needs them.
 *
 * Of each file that the YAML names it is the directory; where the path has a {host} or a wildcard,
 * the directory before that; where a path leads over a symbolic link, both. A directory "live" is
 * certbot's, whose links lead to ../archive: so it is the one above. What is not there yet is stood
 * for by the nearest directory above it that is.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct arena;
struct config;

struct reach_directory {
    const char *named; /* what the configuration needs; without links, as far as it is there */
    const char *path;  /* that, or what stands for it; with everything below */
    dev_t device;      /* which directory that was when we looked */
    ino_t inode;
};

struct reach {
    struct arena *arena;
    struct reach_directory *read; /* none needed within another */
    size_t n_read;
    const char **sockets; /* directories of unix sockets, which are removed at the end */
    size_t n_sockets;
};

/** config_path  "-" needs no directory. Never returns NULL. */
struct reach *reach_new(const struct config *config, const char *config_path);

/** Takes NULL. */
void reach_free(struct reach *reach);

/** A directory that `next` has to read and `reach` does not hold, or NULL. */
const char *reach_find_outside(const struct reach *reach, const struct reach *next);
