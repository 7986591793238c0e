/* SPDX-License-Identifier: MIT */
/**
 * Errors: one failure with its code, its place and a sentence for people.
 *
 * Everything is held inside the struct, so an error survives lack of memory. A function that fails
 * sets it once and returns; the caller at the edge (cli/, daemon/main/) prints it once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct slice;

enum {
    ERR_MSG_MAX = 256, /* bytes of a message, with its NUL; a longer one is cut */
};

enum err_code {
    ERR_NONE,
    ERR_SYNTAX, /* bytes that do not follow their grammar */
    ERR_LIMIT,  /* larger, deeper or more than we accept */
    ERR_CONFIG, /* a value that may be well formed but cannot be used */
    ERR_IO,     /* the operating system said no; sys_errno says why */
    ERR_CRYPTO, /* the TLS library said no */
};

/** Where in a file: line and column count from 1; line 0 means the file as a whole. */
struct place {
    const char *file; /* lives as long as what the place belongs to; NULL: no file */
    uint32_t line;
    uint32_t column;
};

/** Compares by file name, line and column: below 0, 0 or above 0. */
int place_compare(struct place a, struct place b);

struct err {
    enum err_code code;
    int sys_errno; /* only with ERR_IO, else 0 */
    struct place place;
    char msg[ERR_MSG_MAX]; /* lower case, no full stop, no newline */
};

/**
 * Sets code and message; the place is cleared. The arguments may point into *err, so a caller can
 * put its own words before the message it was given. Always returns -1.
 */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The same with a place. Always returns -1. */
int err_at(struct err *err, struct place place, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Appends a text to the message. Always returns -1. */
int err_add(struct err *err, const char *text);

/** ERR_IO with strerror(sys_errno) appended to the message. Always returns -1. */
int err_io(struct err *err, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Writes `value` in single quotes, as it is to be shown to a person: bytes outside printable ASCII,
 * quotes and backslashes become \xNN, \' and \\; what is too long is cut and ends in "...".
 * Valid UTF-8 of other scripts is escaped too: a terminal is no place for a stranger's bytes.
 *
 * buffer, size  at least 8 bytes
 * Returns buffer.
 */
const char *err_quote(char *buffer, size_t size, struct slice value);

enum {
    ERR_QUOTE_MAX = 96, /* a buffer for err_quote() that shows any host name's beginning */
};
