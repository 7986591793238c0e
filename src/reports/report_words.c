/* SPDX-License-Identifier: MIT */
#include "reports/report_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "reports/tls_report.h"

enum {
    DAY_S = 24 * 60 * 60,
    SENTENCE_MAX = 300, /* bytes */
};

const char *report_words_of(const char *text, struct arena *arena)
{
    char quoted[ERR_QUOTE_MAX];
    size_t i = 0;

    while (ascii_is_alnum(text[i]) || (text[i] != '\0' && strchr("-._:@*", text[i])))
        i++;
    if (i > 0 && text[i] == '\0' && i < sizeof(quoted))
        return text;
    return arena_copy(arena, slice_of(err_quote(quoted, sizeof(quoted), slice_of(text))));
}

const char *report_words_cut(const char *text, struct arena *arena)
{
    size_t len = SENTENCE_MAX;

    if (strlen(text) <= SENTENCE_MAX)
        return text;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) /* not within a character */
        len--;
    return report_words_print(arena, "%.*s...", (int)len, text);
}

const char *report_words_sentence(const char *text, struct arena *arena)
{
    const char *cut = report_words_cut(text, arena);
    char *bytes = arena_alloc(arena, 4 * strlen(cut) + 1), *to = bytes;

    for (const char *at = cut; *at; at++) {
        if (*at >= ' ' && *at <= '~')
            *to++ = *at;
        else
            to += sprintf(to, "\\x%02x", (unsigned)(unsigned char)*at);
    }
    *to = '\0';
    return bytes;
}

const char *report_words_day(int64_t day, struct arena *arena)
{
    char date[WHEN_SIZE];
    struct slice words = slice_of(when_date(day * DAY_S, date));

    return arena_copy(arena, slice_range(words, 0, slice_find_byte(words, ',')));
}

const char *report_words_iso_day(int64_t day, struct arena *arena)
{
    time_t at = (time_t)(day * DAY_S);
    struct tm parts;
    char date[WHEN_SIZE];

    if (!gmtime_r(&at, &parts) || strftime(date, sizeof(date), "%Y-%m-%d", &parts) == 0)
        return report_words_print(arena, "day %" PRId64 " after 1970", day);
    return arena_copy(arena, slice_of(date));
}

const char *report_words_print(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *printed, *kept;
    int len;

    va_start(arguments, format);
    len = vasprintf(&printed, format, arguments);
    va_end(arguments);
    if (len < 0)
        memory_fail();
    kept = arena_copy(arena, (struct slice){printed, (size_t)len});
    free(printed);
    return kept;
}

const char *report_words_sessions(int64_t n, struct arena *arena)
{
    if (n == UNKNOWN_COUNT)
        return "an unknown number of sessions";
    return report_words_print(arena, "%" PRId64 " session%s", n, n == 1 ? "" : "s");
}
