/* SPDX-License-Identifier: MIT */
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
    READ_FIRST = 16 * 1024,
    BESIDE_MODE = 0600, /* until the file is whole */
    BESIDE_TRIES = 16,
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

/* Whether `path` still leads to the file that is open. */
static bool beside_is_named(const char *path, int fd)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/*
 * Removes what a killed process has left, or a stranger has placed, but not what another writer
 * prints into: a writer holds the lock of its file until the file has its final name, and only who
 * holds the lock takes the name away. What cannot be opened is no writer's: a link, a pipe without
 * a reader, a file of another user.
 */
static int beside_remove(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), result = 0;

    if (fd < 0 && errno == ENOENT)
        return 0; /* another writer may have made its file by now, which is not to be removed */
    if (fd < 0)
        return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || (beside_is_named(path, fd) && unlink(path) != 0))
        result = -1;
    close(fd);
    return result;
}

/*
 * Makes a file that was not there, so that nobody else has it open, and locks it. mkostemp() would
 * need no lock, but what a killed process leaves would stay for ever, as nobody knows its name.
 *
 * Returns a descriptor, or -1 with errno: EWOULDBLOCK (another writer has its file there).
 */
static int beside_make(const char *path)
{
    for (int i = 0; i < BESIDE_TRIES; i++) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, BESIDE_MODE);

        if (fd < 0) {
            if (errno != EEXIST || beside_remove(path) != 0)
                return -1;
        } else if (flock(fd, LOCK_EX | LOCK_NB) == 0 && beside_is_named(path, fd)) {
            return fd;
        } else {
            close(fd); /* another writer took it for a left-over before it was locked */
        }
    }
    errno = EWOULDBLOCK;
    return -1;
}

/* Prints the whole file and makes sure that the disk has it. */
static int beside_print(FILE *out, unsigned mode, file_writer *write, void *context)
{
    errno = EIO; /* the reason of a writer that fails and has none to give */
    return write(context, out) == 0 && fflush(out) == 0 && fchmod(fileno(out), (mode_t)mode) == 0 &&
                   fsync(fileno(out)) == 0
               ? 0
               : -1;
}

int file_replace(const char *path, unsigned mode, file_writer *write, void *context,
                 struct err *err)
{
    FILE *out = NULL;
    int result = -1, fd;
    char *beside;

    if (asprintf(&beside, "%s.new", path) < 0)
        memory_fail();
    fd = beside_make(beside);
    if (fd >= 0)
        out = fdopen(fd, "w");
    if (fd < 0 && errno == EWOULDBLOCK)
        err_set(err, ERR_IO, "'%s' cannot be written: another process is writing it", path);
    else if (!out)
        err_io(err, errno, "'%s' cannot be made", beside);
    else if (beside_print(out, mode, write, context) != 0 || rename(beside, path) != 0)
        err_io(err, errno, "'%s' cannot be written", path);
    else
        result = 0;
    if (fd >= 0 && result != 0)
        unlink(beside); /* while it is locked */
    if (out)
        fclose(out);
    else if (fd >= 0)
        close(fd);
    free(beside);
    return result;
}

int file_print_slice(void *context, FILE *out)
{
    const struct slice *bytes = context;

    return fwrite(bytes->ptr, 1, bytes->len, out) == bytes->len ? 0 : -1;
}
