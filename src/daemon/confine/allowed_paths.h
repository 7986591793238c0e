/* SPDX-License-Identifier: MIT */
/**
 * Allowed paths: the directories that the sandbox leaves open to the daemon after its start.
 *
 * Every file that the configuration names needs its directory. A path with {host}, {domain} or a
 * '*' needs the directory before that; a path over a symbolic link needs the directory of the link
 * and the directory of its target. certbot's links in live/ lead to ../archive/, so a directory
 * named "live" needs its parent. The nearest existing parent stands in for a directory that does
 * not exist yet, unless it is / or directly below: for /etc/letsencrypt it would be all of /etc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct arena;
struct config;

struct allowed_directory {
    const char *wanted; /* what the configuration needs; free of links, as far as it exists */
    const char *actual; /* `wanted` or its nearest existing parent; allowed with all below it */
    dev_t device;       /* of `actual`, when the paths were collected */
    ino_t inode;
};

struct allowed_paths {
    struct arena *arena;
    struct allowed_directory *read; /* no `wanted` is within another */
    size_t n_read;
    const char **missing; /* wanted directories that do not exist and that nothing stands in for */
    size_t n_missing;
    const char *state;    /* the directory where files may be made too; NULL: none */
    const char **sockets; /* directories where a stopping daemon removes its unix sockets */
    size_t n_sockets;
};

/**
 * Collects the directories that `config` needs. Looks at the file system as the calling user.
 *
 * config_path  the file that `config` was read from; "-" (standard input) needs no directory
 * Never returns NULL.
 */
struct allowed_paths *allowed_paths_new(const struct config *config, const char *config_path);

/** Takes NULL. */
void allowed_paths_free(struct allowed_paths *allowed);

/** Whether a path, free of links, is in one of the directories. */
bool allowed_paths_contain(const struct allowed_paths *allowed, const char *path);

/**
 * Finds a directory that `next` wants to read and `allowed` does not contain, or NULL. What was
 * missing already is no reason against a reload.
 */
const char *allowed_paths_find_outside(const struct allowed_paths *allowed,
                                       const struct allowed_paths *next);
