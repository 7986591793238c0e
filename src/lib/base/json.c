/* SPDX-License-Identifier: MIT */
#include "lib/base/json.h"

#include <stdlib.h>

#include "lib/base/slice.h"
#include "lib/base/utf8.h"

/* U+0080 to U+009F: some terminals interpret them like escape sequences. */
static bool is_c1_control(struct slice character)
{
    return character.len == 2 && (unsigned char)character.ptr[0] == 0xc2 &&
           (unsigned char)character.ptr[1] < 0xa0;
}

static void json_print_char(struct slice character, FILE *out)
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

/* How many bytes at the beginning are printed as they are: most texts have no others. */
static size_t json_plain_len(struct slice text)
{
    size_t len = 0;

    while (len < text.len && text.ptr[len] >= ' ' && text.ptr[len] < 0x7f && text.ptr[len] != '"' &&
           text.ptr[len] != '\\')
        len++;
    return len;
}

void json_print_slice(struct slice text, FILE *out)
{
    fputc('"', out);
    while (text.len > 0) {
        size_t plain_len = json_plain_len(text), len;

        fwrite(text.ptr, 1, plain_len, out);
        text = slice_range(text, plain_len, text.len);
        if (text.len == 0)
            break;
        len = utf8_char_len(text);
        if (len == 0)
            fputs("\\ufffd", out);
        else
            json_print_char(slice_range(text, 0, len), out);
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

static void json_new_line(const struct json_writer *writer)
{
    fprintf(writer->out, "\n%*s", writer->indent * writer->n_indented, "");
}

/* Separates a key or an item from the one before it, and begins its line. */
static void json_separate(struct json_writer *writer)
{
    uint32_t level = UINT32_C(1) << writer->depth;

    if (writer->depth == 0)
        return;
    if (writer->has_members & level)
        fputc(',', writer->out);
    if (writer->on_lines & level)
        json_new_line(writer);
    else if (writer->has_members & level)
        fputc(' ', writer->out);
    writer->has_members |= level;
}

static void json_begin_value(struct json_writer *writer)
{
    if (!writer->has_key)
        json_separate(writer);
    writer->has_key = false;
}

static void json_begin(struct json_writer *writer, char bracket, enum json_layout layout)
{
    uint32_t level;

    json_begin_value(writer);
    fputc(bracket, writer->out);
    if (++writer->depth == JSON_DEPTH_MAX)
        abort();
    level = UINT32_C(1) << writer->depth;
    writer->has_members &= ~level;
    writer->on_lines &= ~level;
    if (layout == JSON_ON_LINES) {
        writer->on_lines |= level;
        writer->n_indented++;
    }
}

static void json_end(struct json_writer *writer, char bracket)
{
    uint32_t level = UINT32_C(1) << writer->depth--;

    if (writer->on_lines & level) {
        writer->n_indented--;
        if (writer->has_members & level)
            json_new_line(writer);
    }
    fputc(bracket, writer->out);
}

void json_begin_object(struct json_writer *writer, enum json_layout layout)
{
    json_begin(writer, '{', layout);
}

void json_end_object(struct json_writer *writer)
{
    json_end(writer, '}');
}

void json_begin_array(struct json_writer *writer, enum json_layout layout)
{
    json_begin(writer, '[', layout);
}

void json_end_array(struct json_writer *writer)
{
    json_end(writer, ']');
}

void json_key(struct json_writer *writer, const char *key)
{
    json_separate(writer);
    json_print_text(key, writer->out);
    fputs(": ", writer->out);
    writer->has_key = true;
}

void json_text(struct json_writer *writer, const char *text)
{
    json_begin_value(writer);
    json_print_text(text, writer->out);
}

void json_slice(struct json_writer *writer, struct slice text)
{
    json_begin_value(writer);
    json_print_slice(text, writer->out);
}

void json_number(struct json_writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    /* fprintf() would take several times as long, and rows of a site are numbers. */
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    json_begin_value(writer);
    fwrite(digits + at, 1, sizeof(digits) - at, writer->out);
}

void json_bool(struct json_writer *writer, bool value)
{
    json_raw(writer, value ? "true" : "false");
}

void json_raw(struct json_writer *writer, const char *json)
{
    json_begin_value(writer);
    fputs(json, writer->out);
}

void json_text_member(struct json_writer *writer, const char *key, const char *text)
{
    json_key(writer, key);
    json_text(writer, text);
}

void json_number_member(struct json_writer *writer, const char *key, uint64_t number)
{
    json_key(writer, key);
    json_number(writer, number);
}
