/* SPDX-License-Identifier: MIT */
#include "lib/base/json.h"

#include <stdbool.h>

#include "lib/base/slice.h"
#include "lib/base/utf8.h"

/* U+0080 to U+009F: some terminals act upon them as upon an escape sequence. */
static bool is_c1_control(struct slice character)
{
    return character.len == 2 && (unsigned char)character.ptr[0] == 0xc2 &&
           (unsigned char)character.ptr[1] < 0xa0;
}

static void print_char(struct slice character, FILE *out)
{
    unsigned char byte = (unsigned char)character.ptr[0];

    if (byte == '"' || byte == '\\')
        fprintf(out, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        fprintf(out, "\\u%04x", byte);
    else if (is_c1_control(character))
        fprintf(out, "\\u%04x", (unsigned char)character.ptr[1]);
    else
        fwrite(character.ptr, 1, character.len, out);
}

void json_print_slice(struct slice text, FILE *out)
{
    fputc('"', out);
    while (text.len > 0) {
        size_t len = utf8_char_len(text);

        if (len == 0)
            fputs("\\ufffd", out);
        else
            print_char(slice_range(text, 0, len), out);
        text = slice_range(text, len == 0 ? 1 : len, text.len);
    }
    fputc('"', out);
}

void json_print_text(const char *text, FILE *out)
{
    if (text)
        json_print_slice(slice_of(text), out);
    else
        fputs("null", out);
}
