/* SPDX-License-Identifier: MIT */
#include "lib/state/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

enum {
    /* Reports say who talks to whom: for the daemon's own user. */
    SPOOL_DIRECTORY_MODE = 0700,
    SPOOL_FILE_MODE = 0600,
    SPOOL_NAME_MAX = 64,
    RECOUNT_MS = 5000, /* a full spool is looked at again, but not for each report */
};

struct spool {
    char *path, *parent;
    struct spool_quota quota;
    struct spool_count count;
    const struct clock *clock;
    uint64_t recounted_ms;
};

/* A report that is being written. */
struct spool_file {
    struct spool_report *report;
    char temporary[SPOOL_NAME_MAX + 1]; /* its name after the dot */
    int fd;                             /* -1: it has no file */
};

static const char *file_name(const struct spool_file *file)
{
    return file->temporary + 1;
}

static int spool_fail(const struct spool *spool, const char *what, struct err *err)
{
    return err_io(err, errno, "'%s' cannot be %s", spool->path, what);
}

/* The new directory itself must be on the disk before anything in it counts as being there. */
static int spool_sync_parent(const struct spool *spool)
{
    int fd = open(spool->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result;

    if (fd < 0)
        return -1;
    result = fsync(fd);
    close(fd);
    return result;
}

/* Opened anew for each use: somebody may have removed the directory or put another in its place. */
static int spool_open_directory(const struct spool *spool, struct err *err)
{
    int fd;

    if (mkdir(spool->path, SPOOL_DIRECTORY_MODE) == 0 ? spool_sync_parent(spool) != 0
                                                      : errno != EEXIST)
        return spool_fail(spool, "made", err);
    fd = open(spool->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fd : spool_fail(spool, "opened", err);
}

/* By path: ThreadSanitizer does not see that openat() makes a descriptor. */
static int spool_open_file(const struct spool *spool, const char *name, int flags)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", spool->path, name) >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, SPOOL_FILE_MODE);
}

static uint64_t spool_blocks(uint64_t bytes)
{
    return (bytes + SPOOL_BLOCK - 1) / SPOOL_BLOCK * SPOOL_BLOCK;
}

/* A file that has gone since its name was read counts for nothing. */
static void count_add(struct spool_count *count, int directory, const char *name, bool is_waiting)
{
    struct stat status;

    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode))
        return;
    count->bytes += spool_blocks((uint64_t)status.st_size);
    count->n_files++;
    if (is_waiting)
        count->n_waiting++;
}

enum spool_place {
    PLACE_WAITING,
    PLACE_FAILED,
};

/* Consumes the descriptor. */
static int count_add_all(struct spool_count *count, int directory, enum spool_place place)
{
    DIR *stream = fdopendir(directory);
    const struct dirent *file;
    int reason;

    if (!stream) {
        close(directory);
        return -1;
    }
    errno = 0;
    while ((file = readdir(stream))) {
        if (strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0)
            count_add(count, dirfd(stream), file->d_name,
                      place == PLACE_WAITING && file->d_name[0] != '.');
        errno = 0;
    }
    reason = errno;
    closedir(stream);
    errno = reason;
    return reason == 0 ? 0 : -1;
}

/* Most often nothing has failed and there is no directory for it. */
static int count_add_failed(struct spool_count *count, const struct spool *spool)
{
    int failed = spool_open_file(spool, SPOOL_FAILED_DIRECTORY, O_RDONLY | O_DIRECTORY);

    if (failed < 0)
        return errno == ENOENT ? 0 : -1;
    return count_add_all(count, failed, PLACE_FAILED);
}

int spool_recount(struct spool *spool, struct err *err)
{
    int directory = spool_open_directory(spool, err);
    struct spool_count count = {0};

    if (directory < 0)
        return -1;
    spool->recounted_ms = spool->clock->monotonic_ms(spool->clock);
    if (count_add_failed(&count, spool) != 0) {
        spool_fail(spool, "read", err);
        close(directory);
        return -1;
    }
    if (count_add_all(&count, directory, PLACE_WAITING) != 0)
        return spool_fail(spool, "read", err);
    spool->count = count;
    return 0;
}

/* The ledger's lock says that no other daemon is writing here. */
static int spool_remove_halves(const struct spool *spool, struct err *err)
{
    int directory = spool_open_directory(spool, err);
    DIR *stream = directory < 0 ? NULL : fdopendir(directory);
    const struct dirent *file;

    if (directory < 0)
        return -1;
    if (!stream) {
        spool_fail(spool, "read", err);
        close(directory);
        return -1;
    }
    while ((file = readdir(stream)))
        if (file->d_name[0] == '.')
            unlinkat(directory, file->d_name, 0); /* which refuses "." and ".." */
    closedir(stream);
    return 0;
}

int spool_open(const char *state_directory, const struct spool_quota *quota,
               const struct clock *clock, struct spool **ret_spool, struct err *err)
{
    struct spool *spool = memory_alloc(sizeof(*spool));

    *spool = (struct spool){.quota = *quota, .clock = clock};
    if (asprintf(&spool->path, "%s/" SPOOL_DIRECTORY, state_directory) < 0 ||
        asprintf(&spool->parent, "%s", state_directory) < 0)
        memory_fail();
    if (spool_remove_halves(spool, err) != 0 || spool_recount(spool, err) != 0) {
        spool_close(spool);
        return -1;
    }
    *ret_spool = spool;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    free(spool->path);
    free(spool->parent);
    free(spool);
}

const struct spool_count *spool_counted(const struct spool *spool)
{
    return &spool->count;
}

static bool count_has_room(const struct spool *spool, uint64_t bytes)
{
    return spool->count.n_files < spool->quota.files_max && bytes <= spool->quota.bytes_max &&
           spool->count.bytes <= spool->quota.bytes_max - bytes;
}

static bool spool_has_room(struct spool *spool, uint64_t bytes)
{
    struct err err;

    if (count_has_room(spool, bytes))
        return true;
    if (spool->clock->monotonic_ms(spool->clock) - spool->recounted_ms < RECOUNT_MS)
        return false;
    return spool_recount(spool, &err) == 0 && count_has_room(spool, bytes);
}

static void file_choose_name(const struct spool *spool, struct spool_file *file)
{
    int64_t now_ms = spool->clock->unix_ms(spool->clock);
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort();
    file->report->entry.received_unix_s = now_ms / 1000;
    snprintf(file->temporary, sizeof(file->temporary), ".%" PRId64 "-%016" PRIx64, now_ms * 1000,
             random);
}

static int file_write(int fd, struct iovec parts[2])
{
    size_t i = 0;

    while (i < 2) {
        ssize_t n = writev(fd, parts + i, (int)(2 - i));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        for (; i < 2 && (size_t)n >= parts[i].iov_len; i++)
            n -= (ssize_t)parts[i].iov_len;
        if (i < 2) {
            parts[i].iov_base = (char *)parts[i].iov_base + n;
            parts[i].iov_len -= (size_t)n;
        }
    }
    return 0;
}

static void file_fail(const struct spool *spool, struct spool_file *file, int directory,
                      struct err *err)
{
    err_io(err, errno, "a report cannot be written to '%s'", spool->path);
    file->report->result = SPOOL_FAILED;
    if (file->fd < 0)
        return;
    unlinkat(directory, file->temporary, 0);
    close(file->fd);
    file->fd = -1;
}

/* Writes the file, and does not wait for the disk yet. */
static void file_begin(struct spool *spool, struct spool_file *file, int directory, struct err *err)
{
    const struct spool_entry *entry = &file->report->entry;
    char head[SPOOL_HEAD_MAX];
    struct iovec parts[2];
    uint64_t bytes;

    file->fd = -1;
    file_choose_name(spool, file);
    parts[0] = (struct iovec){head, spool_entry_render_head(entry, head)};
    parts[1] = (struct iovec){(char *)(uintptr_t)entry->body.ptr, entry->body.len};
    bytes = spool_blocks(parts[0].iov_len + parts[1].iov_len);
    if (!spool_has_room(spool, bytes)) {
        file->report->result = SPOOL_FULL;
        return;
    }
    file->fd = spool_open_file(spool, file->temporary, O_WRONLY | O_CREAT | O_EXCL);
    if (file->fd < 0 || file_write(file->fd, parts) != 0) {
        file_fail(spool, file, directory, err);
        return;
    }
    spool->count.bytes += bytes;
    spool->count.n_files++;
    file->report->result = SPOOL_KEPT;
}

static void file_finish(struct spool *spool, struct spool_file *file, int directory,
                        struct err *err)
{
    if (file->fd < 0)
        return;
    if (fsync(file->fd) != 0 ||
        renameat(directory, file->temporary, directory, file_name(file)) != 0) {
        file_fail(spool, file, directory, err);
        spool->recounted_ms = 0; /* what has been counted of the file is wrong */
        return;
    }
    spool->count.n_waiting++;
    close(file->fd);
}

static int spool_write_into(struct spool *spool, int directory, struct spool_report *const *reports,
                            size_t n_reports, struct err *err)
{
    struct spool_file files[SPOOL_GROUP_MAX];
    bool has_failed = false;

    for (size_t i = 0; i < n_reports; i++) {
        files[i].report = reports[i];
        file_begin(spool, &files[i], directory, err);
    }
    for (size_t i = 0; i < n_reports; i++)
        file_finish(spool, &files[i], directory, err);
    if (fsync(directory) != 0) {
        spool_fail(spool, "synced", err);
        for (size_t i = 0; i < n_reports; i++)
            if (reports[i]->result == SPOOL_KEPT)
                reports[i]->result = SPOOL_FAILED;
    }
    for (size_t i = 0; i < n_reports; i++)
        has_failed |= reports[i]->result == SPOOL_FAILED;
    return has_failed ? -1 : 0;
}

int spool_write(struct spool *spool, struct spool_report *const *reports, size_t n_reports,
                struct err *err)
{
    int directory = spool_open_directory(spool, err), result;

    if (directory < 0) {
        for (size_t i = 0; i < n_reports; i++)
            reports[i]->result = SPOOL_FAILED;
        return -1;
    }
    result = spool_write_into(spool, directory, reports, n_reports, err);
    close(directory);
    return result;
}
