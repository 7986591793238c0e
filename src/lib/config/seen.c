/* SPDX-License-Identifier: MIT */
#include "lib/config/seen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

enum {
    FILES_FIRST = 16, /* in the array that grows */
    PATH_QUOTE_MAX = 512,
};

/* Shows that a file was replaced or written: whoever restores the other times cannot set ctime. */
struct trace {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct seen_file {
    const char *path;
    struct place asked_at;
    struct trace trace;
};

static struct trace trace_of(const struct stat *status)
{
    return (struct trace){status->st_dev, status->st_ino, status->st_size, status->st_mtim,
                          status->st_ctim};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_trace(const struct trace *a, const struct trace *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

static int64_t ms_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* If a file server's clock is ahead, waits for settle_ms and no longer. */
static int64_t time_to_settle(const struct trace *trace, unsigned settle_ms)
{
    int64_t modified_ms = ms_of(trace->modified), changed_ms = ms_of(trace->changed);
    int64_t youngest_ms = modified_ms > changed_ms ? modified_ms : changed_ms, left_ms;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    left_ms = youngest_ms + settle_ms - ms_of(now);
    return left_ms < settle_ms ? left_ms : settle_ms;
}

static void sleep_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

int seen_file_settle(int fd, unsigned settle_ms, struct stat *ret_status, struct err *err)
{
    struct stat status;
    struct trace before, after;
    int64_t left_ms;

    if (fstat(fd, &status) != 0)
        return err_io(err, errno, "cannot be read");
    before = after = trace_of(&status);
    left_ms = S_ISREG(status.st_mode) ? time_to_settle(&before, settle_ms) : 0;
    if (left_ms > 0) {
        sleep_ms(left_ms);
        if (fstat(fd, &status) != 0)
            return err_io(err, errno, "cannot be read");
        after = trace_of(&status);
    }
    if (!is_same_trace(&before, &after))
        return err_set(err, ERR_IO, "is being written; try again when that is done");
    *ret_status = status;
    return 0;
}

void seen_files_add(struct seen_files *files, const char *path, struct place asked_at,
                    const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return;
    if (files->n_items == files->size) {
        files->size = files->size == 0 ? FILES_FIRST : files->size * 2;
        files->items = memory_resize(files->items, files->size, sizeof(*files->items));
    }
    files->items[files->n_items++] = (struct seen_file){path, asked_at, trace_of(status)};
}

static bool has_changed(const struct seen_file *file)
{
    struct stat status;
    struct trace now;
    bool is_main = file->asked_at.line == 0;
    int result;

    if (is_main && strcmp(file->path, "-") == 0)
        result = fstat(STDIN_FILENO, &status);
    else
        result = stat(file->path, &status);
    if (result != 0)
        return true;
    now = trace_of(&status);
    return !is_same_trace(&file->trace, &now);
}

void seen_files_check(const struct seen_files *files, struct diag *diag)
{
    static const char why[] = "has changed while the configuration was read; try again";
    char quoted[PATH_QUOTE_MAX];

    for (size_t i = 0; i < files->n_items; i++) {
        const struct seen_file *file = &files->items[i];

        if (!has_changed(file))
            continue;
        if (file->asked_at.line != 0)
            diag_add(diag, FINDING_FILE_UNREADABLE, file->asked_at, "include", "%s %s",
                     err_quote(quoted, sizeof(quoted), slice_of(file->path)), why);
        else
            diag_add(diag, FINDING_FILE_UNREADABLE, file->asked_at, NULL, "the file %s", why);
    }
}

void seen_files_done(struct seen_files *files)
{
    free(files->items);
}
