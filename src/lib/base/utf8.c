/* SPDX-License-Identifier: MIT */
#include "lib/base/utf8.h"

#include "lib/base/slice.h"

/*
 * UTF8-2 = %xC2-DF UTF8-tail
 * UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2(UTF8-tail) / %xED %x80-9F UTF8-tail / %xEE-EF ...
 * UTF8-4 = %xF0 %x90-BF 2(UTF8-tail) / %xF1-F3 3(UTF8-tail) / %xF4 %x80-8F 2(UTF8-tail)
 * A row: the range of the first byte, the length, the range of the second byte.
 */
static const struct {
    unsigned char first_low, first_high, len, second_low, second_high;
} forms[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool has_tail(const unsigned char *bytes, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return false;
    return true;
}

size_t utf8_char_len(struct slice bytes)
{
    const unsigned char *byte = (const unsigned char *)bytes.ptr;

    if (bytes.len == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (byte[0] < forms[i].first_low || byte[0] > forms[i].first_high)
            continue;
        if (bytes.len < forms[i].len || byte[1] < forms[i].second_low ||
            byte[1] > forms[i].second_high || !has_tail(byte, 2, forms[i].len))
            return 0;
        return forms[i].len;
    }
    return 0;
}

bool utf8_is_valid(struct slice bytes)
{
    while (bytes.len > 0) {
        size_t len = utf8_char_len(bytes);

        if (len == 0)
            return false;
        bytes = slice_range(bytes, len, bytes.len);
    }
    return true;
}
