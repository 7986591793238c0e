/* SPDX-License-Identifier: MIT */
#include "lib/base/lookalike.h"

#include "lib/base/slice.h"

static const struct lookalike {
    const char *bytes; /* UTF-8 */
    const char *what;
} lookalikes[] = {
    {"\xc2\xa0", "a no-break space"},
    {"\xe2\x80\xaf", "a no-break space"},
    {"\xe2\x80\x8b", "a zero-width space"},
    {"\xe3\x80\x80", "a wide space"},
    {"\xc2\xad", "a soft hyphen"},
    {"\xef\xbb\xbf", "a byte order mark"},
    {"\xe2\x80\x98", "a typographic quote"},
    {"\xe2\x80\x99", "a typographic quote"},
    {"\xe2\x80\x9a", "a typographic quote"},
    {"\xe2\x80\x9c", "a typographic quote"},
    {"\xe2\x80\x9d", "a typographic quote"},
    {"\xe2\x80\x9e", "a typographic quote"},
    {"\xc2\xab", "a typographic quote"},
    {"\xc2\xbb", "a typographic quote"},
    {"\xe2\x80\x90", "a typographic hyphen"},
    {"\xe2\x80\x91", "a typographic hyphen"},
    {"\xe2\x80\x93", "a typographic dash"},
    {"\xe2\x80\x94", "a typographic dash"},
    {"\xe2\x80\xa6", "a typographic ellipsis"},
};

const char *lookalike_find(struct slice text, size_t *ret_at)
{
    for (size_t i = 0; i < text.len; i++) {
        struct slice rest = slice_range(text, i, text.len);

        for (size_t k = 0; (text.ptr[i] & 0x80) && k < ARRAY_LEN(lookalikes); k++) {
            if (!slice_starts_with(rest, lookalikes[k].bytes))
                continue;
            if (ret_at)
                *ret_at = i;
            return lookalikes[k].what;
        }
    }
    return NULL;
}
