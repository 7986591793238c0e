/* SPDX-License-Identifier: MIT */
/**
 * Files: read one whole within a bound, replace one so that nobody ever sees half of it.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct arena;
struct err;
struct slice;
struct stat;

/**
 * Opens /dev/null in place of each of standard input, output and error that is closed, the wrong
 * way round: using them still fails, but no socket or file gets their number. For the very start of
 * a program. Returns 0, or -1 if /dev/null cannot be opened.
 */
int file_fill_standard(void);

/**
 * Opens a file to be read; "-" is standard input. Returns a stream for file_close(), or NULL with
 * *err set: ERR_IO (sys_errno).
 */
FILE *file_open(const char *path, struct err *err);

/**
 * The same for what has to be a regular file, and never waits: ERR_CONFIG if the path leads to
 * something else. "-" is a file of that name.
 */
FILE *file_open_regular(const char *path, struct err *err);

/** Leaves standard input open. */
void file_close(FILE *in);

/**
 * Reads to its end what file_open() or file_open_regular() has opened and nobody has read from; the
 * rest is as in file_read().
 */
int file_read_stream(FILE *in, size_t max_bytes, struct arena *arena, struct slice *ret_bytes,
                     struct err *err);

/**
 * Reads a whole regular file or pipe.
 *
 * path       as for file_open()
 * max_bytes  a longer file is refused without being read further
 * arena      owns *ret_bytes; uncapped
 * ret_bytes  a NUL follows the last byte
 * Returns 0, or -1 with *err set: ERR_IO (sys_errno; a directory is EISDIR), ERR_LIMIT.
 */
int file_read(const char *path, size_t max_bytes, struct arena *arena, struct slice *ret_bytes,
              struct err *err);

/**
 * The same for what has to be a regular file: neither a pipe that nobody writes to nor a device can
 * hold up the reader. "-" is a file of that name.
 *
 * ret_status  the file as it was before its bytes were read; untouched on failure
 * Returns 0, or -1 with *err set: as file_read(), and ERR_CONFIG (it is something else).
 */
int file_read_regular(const char *path, size_t max_bytes, struct arena *arena,
                      struct stat *ret_status, struct slice *ret_bytes, struct err *err);

/** "directory/name", for free(). */
char *file_path_below(const char *directory, const char *name);

/** Writes the bytes of a file to `out`; the value of ferror(out) after it. */
typedef int file_writer(void *context, FILE *out);

/**
 * Replaces `path` by what `write` prints: the new file `path`.new, synced, renamed over it.
 *
 * What is there by the name of the new file, as a killed process left it, is removed. Of several
 * writers at the same time one replaces the file, and the others fail.
 *
 * mode  permission bits of the new file
 * Returns 0, or -1 with *err set: ERR_IO; then the old file is as it was.
 */
int file_replace(const char *path, unsigned mode, file_writer *write, void *context,
                 struct err *err);

/** A file_writer of the bytes of a struct slice, its context. */
int file_print_slice(void *context, FILE *out);
