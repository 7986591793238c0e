/* SPDX-License-Identifier: MIT */
#include "reports/json_tidy.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct json_tidier {
    struct slice in;
    size_t at;
    char *out; /* no byte of `in` becomes more than three */
    size_t len;
    unsigned depth;
    size_t n_containers, n_values;
};

static void tidy_put(struct json_tidier *tidier, const char *bytes, size_t len)
{
    memcpy(tidier->out + tidier->len, bytes, len);
    tidier->len += len;
}

/* Copies `len` bytes of the input, or puts a replacement in their place. */
static void tidy_take(struct json_tidier *tidier, size_t len, bool is_good)
{
    if (is_good)
        tidy_put(tidier, tidier->in.ptr + tidier->at, len);
    else
        tidy_put(tidier, REPLACEMENT, strlen(REPLACEMENT));
    tidier->at += len;
}

/* The number in "\u0000" at an index of the input, or -1. */
static int tidy_escaped_unit(const struct json_tidier *tidier, size_t at)
{
    struct slice escape = slice_range(tidier->in, at, at + 6);
    int unit = 0;

    if (escape.len < 6 || !slice_starts_with(escape, "\\u"))
        return -1;
    for (size_t i = 2; i < escape.len; i++) {
        char digit = ascii_to_lower(escape.ptr[i]);

        if (ascii_is_digit(digit))
            unit = unit * 16 + (digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            unit = unit * 16 + (digit - 'a' + 10);
        else
            return -1;
    }
    return unit;
}

static void tidy_escape(struct json_tidier *tidier)
{
    int unit = tidy_escaped_unit(tidier, tidier->at), next;

    if (unit < 0) {
        tidy_take(tidier, tidier->at + 1 < tidier->in.len ? 2 : 1, true);
        return;
    }
    next = tidy_escaped_unit(tidier, tidier->at + 6);
    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff)
        tidy_take(tidier, 12, true);
    else
        tidy_take(tidier, 6, unit != 0 && (unit < 0xd800 || unit > 0xdfff));
}

static void tidy_control(struct json_tidier *tidier, char byte)
{
    static const char controls[] = "\n\r\t", names[] = "nrt";
    const char *found = byte ? strchr(controls, byte) : NULL;

    if (!found) {
        tidy_take(tidier, 1, false);
        return;
    }
    tidy_put(tidier, (const char[]){'\\', names[found - controls]}, 2);
    tidier->at++;
}

/* Stands at the opening quote, leaves behind the closing one. */
static int tidy_text(struct json_tidier *tidier, struct err *err)
{
    size_t from = tidier->at;

    tidy_take(tidier, 1, true);
    while (tidier->at < tidier->in.len && tidier->in.ptr[tidier->at] != '"') {
        char byte = tidier->in.ptr[tidier->at];
        size_t len = utf8_char_len(slice_range(tidier->in, tidier->at, tidier->in.len));

        if (tidier->at - from > JSON_TIDY_TEXT_MAX)
            return err_set(err, ERR_LIMIT, "has a text of more than %d bytes", JSON_TIDY_TEXT_MAX);
        if (byte == '\\')
            tidy_escape(tidier);
        else if ((unsigned char)byte < ' ')
            tidy_control(tidier, byte);
        else
            tidy_take(tidier, len > 0 ? len : 1, len > 0);
    }
    if (tidier->at == tidier->in.len)
        return err_set(err, ERR_SYNTAX, "ends within a text: it is cut off");
    tidy_take(tidier, 1, true);
    return 0;
}

static void tidy_number(struct json_tidier *tidier)
{
    size_t len = 1;

    while (tidier->at + len < tidier->in.len &&
           (ascii_is_digit(tidier->in.ptr[tidier->at + len]) ||
            (tidier->in.ptr[tidier->at + len] != '\0' &&
             strchr("+-.eE", tidier->in.ptr[tidier->at + len]))))
        len++;
    tidy_put(tidier, "\"", 1);
    tidy_take(tidier, len, true);
    tidy_put(tidier, "\"", 1);
}

static int tidy_count(struct json_tidier *tidier, char byte, struct err *err)
{
    if (byte == '{' || byte == '[') {
        tidier->depth++;
        tidier->n_containers++;
    } else if (byte == '}' || byte == ']') {
        tidier->depth--;
    } else if (byte == ',' || byte == ':') {
        tidier->n_values++;
    }
    if (tidier->depth > JSON_TIDY_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "has more than %d objects or arrays within one another",
                       JSON_TIDY_DEPTH_MAX);
    if (tidier->n_containers > JSON_TIDY_CONTAINERS_MAX)
        return err_set(err, ERR_LIMIT, "has more than %d objects and arrays",
                       JSON_TIDY_CONTAINERS_MAX);
    if (tidier->n_values > JSON_TIDY_VALUES_MAX)
        return err_set(err, ERR_LIMIT, "has more than %d values", JSON_TIDY_VALUES_MAX);
    return 0;
}

static int tidy_object(struct json_tidier *tidier, struct err *err)
{
    do {
        char byte;

        if (tidier->at == tidier->in.len)
            return err_set(err, ERR_SYNTAX, "ends within the JSON object: it is cut off");
        byte = tidier->in.ptr[tidier->at];
        if (byte == '"') {
            if (tidy_text(tidier, err) != 0)
                return -1;
        } else if (byte == '-' || ascii_is_digit(byte)) {
            tidy_number(tidier);
        } else {
            if (tidy_count(tidier, byte, err) != 0)
                return -1;
            tidy_take(tidier, 1, true);
        }
    } while (tidier->depth > 0);
    return 0;
}

int json_tidy(struct slice bytes, struct arena *arena, struct slice *ret_json, struct err *err)
{
    struct json_tidier tidier = {.in = bytes};

    if (slice_starts_with(bytes, "\xef\xbb\xbf"))
        tidier.at = 3;
    while (tidier.at < bytes.len && memchr(" \t\r\n", bytes.ptr[tidier.at], 4))
        tidier.at++;
    if (tidier.at == bytes.len)
        return err_set(err, ERR_SYNTAX, "is empty");
    if (bytes.ptr[tidier.at] != '{')
        return err_set(err, ERR_SYNTAX, "is no JSON object");
    tidier.out = arena_space(arena, 3 * bytes.len);
    if (tidy_object(&tidier, err) != 0)
        return -1;
    *ret_json = (struct slice){tidier.out, tidier.len};
    return 0;
}
