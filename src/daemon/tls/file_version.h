/* SPDX-License-Identifier: MIT */
/**
 * File versions: by what a certificate's pair of files is known to have changed.
 *
 * Symbolic links are followed: certbot replaces a link, and Kubernetes the directory "..data" that
 * lies behind the file's own link. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct stat;

/** One file at one time. */
struct file_version {
    int stat_errno; /* 0: there is a file, and the rest holds */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec
        changed; /* also by chmod or a hard link; only file_versions_mark() looks at it */
};

/** Both files of a certificate. */
struct file_versions {
    struct file_version chain, key;
};

/** The version of the file that `status` is of. */
struct file_version file_version_of(const struct stat *status);

/** Looks at both files; one that is not there is a result too. */
struct file_versions file_versions_look_up(const char *chain_path, const char *key_path);

/** Whether neither file was written or replaced between the two. */
bool file_versions_eq(const struct file_versions *a, const struct file_versions *b);

/**
 * A number that differs after anything about the files has changed, their permissions too.
 *
 * mark  of what came before, to take several pairs together; 0: nothing
 */
uint32_t file_versions_mark(uint32_t mark, const struct file_versions *versions);

/** Whether neither file is there. */
bool file_versions_are_absent(const struct file_versions *versions);
