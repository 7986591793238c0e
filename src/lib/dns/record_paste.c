/* SPDX-License-Identifier: MIT */
/*
 * line  = value                                   ; no quote and no type before its first "="
 *       / strings                                 ; dig +short
 *       / [owner] [ttl] [class] "TXT" data        ; a zone file, dig
 *       / owner "text =" data                     ; nslookup
 *       / owner "descriptive text" data           ; host
 *       / ";" comment
 * data  = strings / value                         ; a value without quotes may have escapes
 * strings = "(" strings ")" / 1*(DQUOTE string DQUOTE)    ; within (), lines end nothing
 */
#include "lib/dns/record_paste.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

/* What stands between the owner's name and the data. */
static const char *const markers[] = {"TXT", "text =", "text=", "descriptive text"};

struct paste {
    struct slice rest; /* what is not read yet */
    struct slice *rrs;
    size_t n_rrs;
    char *values; /* room for what is read from `rest`, which never gets longer */
    struct err *err;
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct slice paste_drop(struct slice text, size_t count)
{
    return slice_range(text, count, text.len);
}

static struct slice drop_space(struct slice text)
{
    while (text.len > 0 && is_space(text.ptr[0]))
        text = paste_drop(text, 1);
    return text;
}

/* Resolves the escape at the beginning of `text`; returns how many bytes it takes. */
static size_t read_escape(struct slice text, char *ret_byte)
{
    unsigned number = 0;
    size_t n = 1;

    while (n < 4 && n < text.len && ascii_is_digit(text.ptr[n]))
        number = number * 10 + (unsigned)(text.ptr[n++] - '0');
    if (n == 4 && number <= 255) {
        *ret_byte = (char)number;
        return n;
    }
    *ret_byte = text.len > 1 ? text.ptr[1] : '\\';
    return text.len > 1 ? 2 : 1;
}

/* Reads the string behind a quote and appends it. */
static int read_string(struct paste *paste, char *value, size_t *len)
{
    while (paste->rest.len > 0 && paste->rest.ptr[0] != '\n') {
        char byte = paste->rest.ptr[0];
        size_t taken = 1;

        if (byte == '"') {
            paste->rest = paste_drop(paste->rest, 1);
            return 0;
        }
        if (byte == '\\')
            taken = read_escape(paste->rest, &byte);
        value[(*len)++] = byte;
        paste->rest = paste_drop(paste->rest, taken);
    }
    return err_set(paste->err, ERR_SYNTAX, "has a quote (\") that is not closed on its line");
}

static void skip_line(struct paste *paste)
{
    paste->rest = paste_drop(paste->rest, slice_find_byte(paste->rest, '\n'));
}

static void add_value(struct paste *paste, size_t len)
{
    paste->rrs[paste->n_rrs++] = (struct slice){paste->values, len};
    paste->values += len;
}

/* Reads strings to the end of their line or of their parentheses. */
static int read_strings(struct paste *paste)
{
    char *value = paste->values;
    bool is_in_parentheses = false;
    size_t len = 0;

    while (paste->rest.len > 0) {
        char byte = paste->rest.ptr[0];

        if (byte == '\n' && !is_in_parentheses)
            break;
        if (byte == ';') {
            skip_line(paste);
            continue;
        }
        paste->rest = paste_drop(paste->rest, 1);
        if (byte == '(' || byte == ')')
            is_in_parentheses = byte == '(';
        else if (byte == '"' && read_string(paste, value, &len) != 0)
            return -1;
        else if (byte != '"' && byte != '\n' && !is_space(byte))
            value[len++] = byte;
    }
    add_value(paste, len);
    return 0;
}

static struct slice take_line(struct paste *paste)
{
    struct slice line = slice_range(paste->rest, 0, slice_find_byte(paste->rest, '\n'));

    paste->rest = paste_drop(paste->rest, line.len);
    if (slice_ends_with(line, "\r"))
        line.len--;
    return line;
}

/* Reads a value without quotes that follows a marker. */
static void read_escaped_value(struct paste *paste)
{
    struct slice line = slice_trim(take_line(paste));
    char *value = paste->values;
    size_t len = 0;

    while (line.len > 0) {
        size_t taken = 1;
        char byte = line.ptr[0];

        if (byte == '\\')
            taken = read_escape(line, &byte);
        value[len++] = byte;
        line = paste_drop(line, taken);
    }
    add_value(paste, len);
}

/* Whether the marker stands at `at`, as a word. */
static bool is_marker(struct slice line, size_t at, const char *marker)
{
    struct slice rest = paste_drop(line, at);
    size_t len = strlen(marker);

    return (at == 0 || is_space(line.ptr[at - 1])) && rest.len > len && is_space(rest.ptr[len]) &&
           slice_eq_nocase(slice_range(rest, 0, len), slice_of(marker));
}

/* Where the data of a line begins that has a marker before any quote or "="; 0: it has none. */
static size_t find_data(struct slice line)
{
    for (size_t i = 0; i < line.len && line.ptr[i] != '"'; i++) {
        for (size_t k = 0; k < ARRAY_LEN(markers); k++)
            if (is_marker(line, i, markers[k]))
                return i + strlen(markers[k]);
        if (line.ptr[i] == '=')
            break;
    }
    return 0;
}

/* "policy.example.com.": a CNAME on the way, as dig +short prints it; or a record of another type.
 */
static bool is_other_line(struct slice line)
{
    return slice_find_byte(line, '=') == line.len && slice_find_byte(line, '"') == line.len;
}

static int read_line(struct paste *paste)
{
    struct slice line = slice_range(paste->rest, 0, slice_find_byte(paste->rest, '\n'));
    struct slice begin = drop_space(line);
    size_t data = find_data(line);

    if (begin.len == 0 || begin.ptr[0] == ';') {
        skip_line(paste);
        return 0;
    }
    if (data > 0) {
        paste->rest = drop_space(paste_drop(paste->rest, data));
        begin = paste->rest;
    }
    if (begin.len > 0 && (begin.ptr[0] == '"' || (data > 0 && begin.ptr[0] == '(')))
        return read_strings(paste);
    if (data > 0)
        read_escaped_value(paste);
    else if (is_other_line(line))
        skip_line(paste);
    else
        paste->rrs[paste->n_rrs++] = take_line(paste);
    return 0;
}

/* The line end that a shell or an editor adds is no part of a value. */
static struct slice drop_line_end(struct slice text)
{
    if (slice_ends_with(text, "\n"))
        text.len--;
    if (slice_ends_with(text, "\r"))
        text.len--;
    return text;
}

static size_t count_lines(struct slice text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

int record_paste_read(struct slice text, struct arena *arena, struct slice **ret_rrs, size_t *ret_n,
                      struct err *err)
{
    struct paste paste = {.rest = text, .err = err};

    if (slice_starts_with(text, "\xff\xfe") || slice_starts_with(text, "\xfe\xff"))
        return err_set(err, ERR_SYNTAX, "is UTF-16; save it as UTF-8 or plain ASCII");
    paste.rrs = arena_array(arena, count_lines(text), sizeof(*paste.rrs));
    paste.values = arena_alloc(arena, text.len + 1);
    while (paste.rest.len > 0) {
        if (read_line(&paste) != 0)
            return -1;
        paste.rest = paste_drop(paste.rest, 1); /* the line's end */
    }
    if (paste.n_rrs == 0 && slice_starts_with(text, ";"))
        return err_set(err, ERR_SYNTAX, "has no TXT record in it");
    if (paste.n_rrs == 0)
        paste.rrs[paste.n_rrs++] = drop_line_end(text);
    *ret_rrs = paste.rrs;
    *ret_n = paste.n_rrs;
    return 0;
}
