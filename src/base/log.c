/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/slice.h"

static _Atomic enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&threshold, level);
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[LOG_LEVEL_COUNT] = {"error", "warning", "info", "debug"};

    return names[level];
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list arguments;
    char line[2048];

    if (level > atomic_load(&threshold))
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    /* One call, so that lines of two threads never mix. */
    fprintf(stderr, "mta-stsd: %s: %s\n", log_level_name(level), line);
}

void log_text(enum log_level level, struct slice text)
{
    while (text.len > 0) {
        size_t len = slice_find_byte(text, '\n');

        log_line(level, "%.*s", SLICE_ARG(slice_range(text, 0, len)));
        text = slice_range(text, len + 1, text.len);
    }
}
