/* SPDX-License-Identifier: MIT */
#include "daemon/tls/file_version.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/base/slice.h"

struct file_version file_version_of(const struct stat *status)
{
    return (struct file_version){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = status->st_size,
        .modified = status->st_mtim,
        .changed = status->st_ctim,
    };
}

static struct file_version file_version_look_up(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? file_version_of(&status)
                                    : (struct file_version){.stat_errno = errno};
}

struct file_versions file_versions_look_up(const char *chain_path, const char *key_path)
{
    return (struct file_versions){
        .chain = file_version_look_up(chain_path),
        .key = file_version_look_up(key_path),
    };
}

static bool file_version_eq(const struct file_version *a, const struct file_version *b)
{
    return a->stat_errno == b->stat_errno && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

bool file_versions_eq(const struct file_versions *a, const struct file_versions *b)
{
    return file_version_eq(&a->chain, &b->chain) && file_version_eq(&a->key, &b->key);
}

/* FNV-1a, over numbers. */
static uint32_t file_version_mark(uint32_t mark, const struct file_version *version)
{
    const uint64_t parts[] = {
        (uint64_t)version->stat_errno,      (uint64_t)version->device,
        (uint64_t)version->inode,           (uint64_t)version->size,
        (uint64_t)version->modified.tv_sec, (uint64_t)version->modified.tv_nsec,
        (uint64_t)version->changed.tv_sec,  (uint64_t)version->changed.tv_nsec,
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        mark = (mark ^ (uint32_t)parts[i]) * 16777619;
        mark = (mark ^ (uint32_t)(parts[i] >> 32)) * 16777619;
    }
    return mark;
}

uint32_t file_versions_mark(uint32_t mark, const struct file_versions *versions)
{
    return file_version_mark(file_version_mark(mark, &versions->chain), &versions->key);
}

static bool file_version_is_absent(const struct file_version *version)
{
    return version->stat_errno == ENOENT || version->stat_errno == ENOTDIR;
}

bool file_versions_are_absent(const struct file_versions *versions)
{
    return file_version_is_absent(&versions->chain) && file_version_is_absent(&versions->key);
}
