/* SPDX-License-Identifier: MIT */
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    READ_FIRST = 16 * 1024,
};

/* A buffer twice as large with the same bytes, which may be a private key. */
static char *read_grow(struct arena *arena, char *buffer, size_t size)
{
    char *larger = memcpy(arena_space(arena, size * 2), buffer, size);

    explicit_bzero(buffer, size);
    return larger;
}

/*
 * Reads to the end into a buffer that grows: a pipe has no size and a file may grow meanwhile. What
 * has its size and no more when there is room for more is at its end. There always is room for a
 * NUL.
 */
static int read_into(int fd, const struct stat *status, size_t max_bytes, struct arena *arena,
                     struct slice *ret_bytes, struct err *err)
{
    size_t expected = S_ISREG(status->st_mode) ? (size_t)status->st_size : 0;
    size_t size = expected > 0 && expected <= max_bytes ? expected + 1 : READ_FIRST, len = 0;
    char *buffer = arena_space(arena, size);
    ssize_t count;

    while ((count = read(fd, buffer + len, size - len)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return err_io(err, errno, "cannot be read");
        len += (size_t)count;
        if (len > max_bytes)
            return err_set(err, ERR_LIMIT, "is larger than %zu bytes", max_bytes);
        if (len == expected && len < size)
            break;
        if (len == size) {
            buffer = read_grow(arena, buffer, size);
            size *= 2;
        }
    }
    buffer[len] = '\0';
    *ret_bytes = (struct slice){buffer, len};
    return 0;
}

static int look_at(int fd, struct stat *status, struct err *err)
{
    return fstat(fd, status) == 0 ? 0 : err_io(err, errno, "cannot be read");
}

int file_fill_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number, which is this one: those below are open by now. */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return -1;
    }
    return 0;
}

FILE *file_open(const char *path, struct err *err)
{
    FILE *in;
    int fd;

    if (strcmp(path, "-") == 0)
        return stdin;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    in = fd < 0 ? NULL : fdopen(fd, "r");
    if (in)
        return in;
    err_io(err, errno, "cannot be read");
    if (fd >= 0)
        close(fd);
    return NULL;
}

void file_close(FILE *in)
{
    if (in != stdin)
        fclose(in);
}

int file_read_stream(FILE *in, size_t max_bytes, struct arena *arena, struct slice *ret_bytes,
                     struct err *err)
{
    struct stat status;

    if (look_at(fileno(in), &status, err) != 0)
        return -1;
    return read_into(fileno(in), &status, max_bytes, arena, ret_bytes, err);
}

int file_read(const char *path, size_t max_bytes, struct arena *arena, struct slice *ret_bytes,
              struct err *err)
{
    FILE *in = file_open(path, err);
    int result;

    if (!in)
        return -1;
    result = file_read_stream(in, max_bytes, arena, ret_bytes, err);
    file_close(in);
    return result;
}

static int check_regular(const struct stat *status, struct err *err)
{
    if (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode)) /* read() refuses a directory */
        return 0;
    return err_set(err, ERR_CONFIG, "is not a regular file, so to read it might never end");
}

/* Returns a descriptor, or -1. */
static int open_regular(const char *path, struct stat *ret_status, struct err *err)
{
    /* Without O_NONBLOCK the open() of a FIFO waits until somebody writes. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;

    if (fd < 0) {
        err_io(err, errno, "cannot be read");
        return -1;
    }
    if (look_at(fd, &status, err) == 0 && check_regular(&status, err) == 0) {
        *ret_status = status;
        return fd;
    }
    close(fd);
    return -1;
}

FILE *file_open_regular(const char *path, struct err *err)
{
    struct stat status;
    int fd = open_regular(path, &status, err);
    FILE *in = fd < 0 ? NULL : fdopen(fd, "r");

    if (fd >= 0 && !in) {
        err_io(err, errno, "cannot be read");
        close(fd);
    }
    return in;
}

int file_read_regular(const char *path, size_t max_bytes, struct arena *arena,
                      struct stat *ret_status, struct slice *ret_bytes, struct err *err)
{
    struct stat status;
    int fd = open_regular(path, &status, err), result;

    if (fd < 0)
        return -1;
    result = read_into(fd, &status, max_bytes, arena, ret_bytes, err);
    if (result == 0)
        *ret_status = status;
    close(fd);
    return result;
}

char *file_path_below(const char *directory, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", directory, name) < 0)
        memory_fail();
    return path;
}

/* Prints into `fd` and makes sure that the disk has it; the descriptor is closed in any case. */
static int write_synced(int fd, unsigned mode, file_writer *write, void *context)
{
    FILE *out = fdopen(fd, "w");
    int failed;

    if (!out) {
        close(fd);
        return -1;
    }
    errno = EIO; /* the reason of a writer that fails and has none to give */
    failed = fchmod(fd, (mode_t)mode) != 0 || write(context, out) != 0 || fflush(out) != 0 ||
             fsync(fd) != 0;
    return fclose(out) != 0 || failed ? -1 : 0;
}

int file_replace(const char *path, unsigned mode, file_writer *write, void *context,
                 struct err *err)
{
    size_t size = strlen(path) + sizeof(".XXXXXX");
    char *temporary = memory_alloc(size);
    int result = -1, fd;

    snprintf(temporary, size, "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        err_io(err, errno, "'%s' cannot be made", temporary);
        goto out;
    }
    if (write_synced(fd, mode, write, context) != 0 || rename(temporary, path) != 0) {
        err_io(err, errno, "'%s' cannot be written", path);
        unlink(temporary);
        goto out;
    }
    result = 0;
out:
    free(temporary);
    return result;
}
