/* SPDX-License-Identifier: MIT */
#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/slice.h"

int place_compare(struct place a, struct place b)
{
    int order = slice_compare(slice_of(a.file), slice_of(b.file));

    if (order == 0)
        order = (a.line > b.line) - (a.line < b.line);
    return order != 0 ? order : (a.column > b.column) - (a.column < b.column);
}

__attribute__((format(printf, 4, 0))) static int err_fill(struct err *err, struct place place,
                                                          enum err_code code, const char *format,
                                                          va_list arguments)
{
    char msg[ERR_MSG_MAX];

    vsnprintf(msg, sizeof(msg), format, arguments);
    *err = (struct err){.code = code, .place = place};
    memcpy(err->msg, msg, strlen(msg) + 1);
    return -1;
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    err_fill(err, (struct place){0}, code, format, arguments);
    va_end(arguments);
    return -1;
}

int err_at(struct err *err, struct place place, enum err_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    err_fill(err, place, code, format, arguments);
    va_end(arguments);
    return -1;
}

int err_add(struct err *err, const char *text)
{
    size_t len = strlen(err->msg);

    snprintf(err->msg + len, sizeof(err->msg) - len, "%s", text);
    return -1;
}

int err_io(struct err *err, int sys_errno, const char *format, ...)
{
    va_list arguments;
    char reason[96];
    size_t len;

    va_start(arguments, format);
    err_fill(err, (struct place){0}, ERR_IO, format, arguments);
    va_end(arguments);
    err->sys_errno = sys_errno;
    len = strlen(err->msg);
    snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
             strerror_r(sys_errno, reason, sizeof(reason)));
    return -1;
}

/* Appends `count` bytes if they and the closing ...' still fit behind them. */
static bool err_append(char *buffer, size_t size, size_t *used, const char *bytes, size_t count)
{
    static const size_t tail = sizeof("...'");

    if (*used + count + tail > size)
        return false;
    memcpy(buffer + *used, bytes, count);
    *used += count;
    return true;
}

const char *err_quote(char *buffer, size_t size, struct slice value)
{
    size_t used = 0;
    bool whole = true;

    buffer[used++] = '\'';
    for (size_t i = 0; i < value.len && whole; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];
        char escaped[5];

        if (byte == '\'' || byte == '\\')
            snprintf(escaped, sizeof(escaped), "\\%c", byte);
        else if (byte < 0x20 || byte > 0x7e)
            snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
        else
            snprintf(escaped, sizeof(escaped), "%c", byte);
        whole = err_append(buffer, size, &used, escaped, strlen(escaped));
    }
    snprintf(buffer + used, size - used, "%s'", whole ? "" : "...");
    return buffer;
}
