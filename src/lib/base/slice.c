/* SPDX-License-Identifier: MIT */
#include "lib/base/slice.h"

#include <string.h>

struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

struct slice slice_range(struct slice slice, size_t from, size_t to)
{
    if (to > slice.len)
        to = slice.len;
    if (from > to)
        from = to;
    return (struct slice){from == 0 ? slice.ptr : slice.ptr + from, to - from};
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_text(struct slice a, const char *text)
{
    return slice_eq(a, slice_of(text));
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_to_lower(a.ptr[i]) != ascii_to_lower(b.ptr[i]))
            return false;
    return true;
}

bool slice_starts_with(struct slice slice, const char *prefix)
{
    return slice_eq_text(slice_range(slice, 0, strlen(prefix)), prefix);
}

bool slice_ends_with(struct slice slice, const char *suffix)
{
    size_t len = strlen(suffix);

    return slice.len >= len &&
           slice_eq_text(slice_range(slice, slice.len - len, slice.len), suffix);
}

int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

size_t slice_find_byte(struct slice slice, char byte)
{
    const char *found = slice.len == 0 ? NULL : memchr(slice.ptr, byte, slice.len);

    return found ? (size_t)(found - slice.ptr) : slice.len;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct slice slice_take_field(struct slice *rest, char byte)
{
    size_t len = slice_find_byte(*rest, byte);
    struct slice field = slice_range(*rest, 0, len);

    *rest = slice_range(*rest, len + 1, rest->len);
    return field;
}

struct slice slice_trim(struct slice slice)
{
    size_t from = 0, to = slice.len;

    while (from < to && is_blank(slice.ptr[from]))
        from++;
    while (to > from && is_blank(slice.ptr[to - 1]))
        to--;
    return slice_range(slice, from, to);
}

int slice_to_u64(struct slice slice, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (slice.len == 0)
        return -1;
    for (size_t i = 0; i < slice.len; i++) {
        if (!ascii_is_digit(slice.ptr[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(slice.ptr[i] - '0'), &value))
            return -1;
    }
    if (value > max)
        return -1;
    *ret_value = value;
    return 0;
}

bool ascii_is_alpha(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool ascii_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

bool ascii_is_alnum(char byte)
{
    return ascii_is_alpha(byte) || ascii_is_digit(byte);
}

char ascii_to_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}
