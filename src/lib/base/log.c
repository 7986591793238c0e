/* SPDX-License-Identifier: MIT */
#include "lib/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/line_output.h"

static _Atomic enum log_level threshold = LOG_INFO;
static _Atomic uint64_t n_dropped;

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
    char text[2048], line[sizeof(text) + 32];
    int len;

    if (level > atomic_load(&threshold))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    len = snprintf(line, sizeof(line), "mta-stsd: %s: %s\n", log_level_name(level), text);
    if (line_output_write(STDERR_FILENO, (struct slice){line, (size_t)len}) != 0)
        atomic_fetch_add(&n_dropped, 1);
}

uint64_t log_take_dropped(void)
{
    return atomic_exchange(&n_dropped, 0);
}

void log_text(enum log_level level, struct slice text)
{
    while (text.len > 0) {
        size_t len = slice_find_byte(text, '\n');

        log_line(level, "%.*s", SLICE_ARG(slice_range(text, 0, len)));
        text = slice_range(text, len + 1, text.len);
    }
}
