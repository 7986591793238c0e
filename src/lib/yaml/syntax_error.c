/* SPDX-License-Identifier: MIT */
#include "lib/yaml/syntax_error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"

/* Which place to show: where libyaml stopped, or where the construct that it was in begins. */
enum shown {
    SHOWN_PROBLEM,
    SHOWN_CONTEXT,
};

/*
 * What libyaml 0.2 says, and what the author of the file most likely has to do. NULL matches
 * everything; the first row that matches counts.
 */
static const struct syntax_hint {
    const char *context;
    const char *problem;
    enum shown shown;
    const char *text;
} hints[] = {
    {"while scanning an alias", NULL, SHOWN_PROBLEM,
     "put a string that begins with * in quotes: \"*.example.com\""},
    {"while scanning an anchor", NULL, SHOWN_PROBLEM, "put a string that begins with & in quotes"},
    {"while scanning a tag", NULL, SHOWN_PROBLEM, "put a string that begins with ! in quotes"},
    {"while parsing a tag", NULL, SHOWN_PROBLEM, "put a string that begins with ! in quotes"},
    {NULL, "found a tab character that violates indentation", SHOWN_PROBLEM,
     "indent with spaces, not with tabs"},
    {NULL, "found character that cannot start any token", SHOWN_PROBLEM,
     "put a string that begins with @, ` or % in quotes"},
    {"while scanning a plain scalar", "found unexpected ':'", SHOWN_PROBLEM,
     "put a string with a ':' before a comma or bracket in quotes: \"https:\""},
    {"while scanning a simple key", NULL, SHOWN_CONTEXT,
     "each line is 'key: value', with a space after the ':'"},
    {NULL, "mapping values are not allowed in this context", SHOWN_PROBLEM,
     "write one 'key: value' a line, and put a string with ': ' in it in quotes"},
    {NULL, "block sequence entries are not allowed in this context", SHOWN_PROBLEM,
     "the '- ' of a list begins a line of its own"},
    {NULL, "did not find expected key", SHOWN_PROBLEM,
     "keys of one mapping begin in the same column"},
    {NULL, "did not find expected '-' indicator", SHOWN_PROBLEM,
     "items of one list begin with '- ' in the same column"},
    {"while parsing a flow sequence", NULL, SHOWN_PROBLEM,
     "close the [ with a ], and put a string with brackets, braces or commas in it in quotes"},
    {"while parsing a flow mapping", NULL, SHOWN_PROBLEM,
     "close the { with a }, and put a string with brackets, braces or commas in it in quotes"},
    {"while parsing a flow node", NULL, SHOWN_PROBLEM,
     "put a string with brackets, braces, commas or colons in it in quotes: \"[::]:443\""},
    {"while scanning a quoted scalar", "found unexpected end of stream", SHOWN_CONTEXT,
     "the closing quote is missing"},
    {NULL, "found unknown escape character", SHOWN_PROBLEM,
     "within single quotes a \\ is an ordinary character"},
    {NULL, "did not find expected <document start>", SHOWN_PROBLEM,
     "the file is one mapping, and nothing follows it"},
    {NULL, NULL, SHOWN_PROBLEM, "look at the indentation, quotes and brackets here"},
};

static const struct syntax_hint tab_hint = {NULL, NULL, SHOWN_PROBLEM,
                                            "indent with spaces, not with tabs"};

static bool is_char_start(char byte)
{
    return (byte & 0xc0) != 0x80;
}

/* Moves a place over text, lines and columns counted as libyaml does. */
static void move_over(struct place *place, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        bool is_crlf = bytes.ptr[i] == '\r' && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n';

        if (bytes.ptr[i] == '\n' || (bytes.ptr[i] == '\r' && !is_crlf)) {
            place->line++;
            place->column = 1;
        } else if (is_char_start(bytes.ptr[i])) {
            place->column++;
        }
    }
}

static struct place place_of_mark(const char *file, yaml_mark_t mark)
{
    return (struct place){file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct slice bytes_between(const unsigned char *from, const unsigned char *to)
{
    return (struct slice){(const char *)from, (size_t)(to - from)};
}

/* libyaml's reader stopped at bytes that are not text: after those that it has checked but not yet
 * scanned, and perhaps within a character. */
static void report_bytes(const yaml_parser_t *parser, const char *file, struct diag *diag)
{
    struct slice unread = bytes_between(parser->raw_buffer.pointer, parser->raw_buffer.last);
    size_t offset = parser->problem_offset - parser->offset;
    struct place place = place_of_mark(file, parser->mark);
    bool is_utf16 = parser->offset == 0 && (slice_starts_with(unread, "\xff\xfe") ||
                                            slice_starts_with(unread, "\xfe\xff"));

    move_over(&place, bytes_between(parser->buffer.pointer, parser->buffer.last));
    move_over(&place, slice_range(unread, 0, offset));
    if (is_utf16)
        diag_add(diag, FINDING_SYNTAX, place, NULL,
                 "the file is UTF-16; a configuration is UTF-8 text, so save it as that");
    else
        diag_add(diag, FINDING_SYNTAX, place, NULL,
                 "found the byte 0x%02x: %s; a configuration is UTF-8 text",
                 offset < unread.len ? (unsigned char)unread.ptr[offset] : 0U, parser->problem);
}

static bool hint_fits(const char *wanted, const char *seen)
{
    return !wanted || (seen && strcmp(wanted, seen) == 0);
}

static const struct syntax_hint *find_hint(const yaml_parser_t *parser)
{
    const struct syntax_hint *hint = hints;

    if (parser->error == YAML_SCANNER_ERROR && *parser->buffer.pointer == '\t')
        return &tab_hint;
    while (!hint_fits(hint->context, parser->context) || !hint_fits(hint->problem, parser->problem))
        hint++;
    return hint;
}

static void report_structure(const yaml_parser_t *parser, const char *file, struct diag *diag)
{
    const struct syntax_hint *hint = find_hint(parser);
    const char *context = parser->context;
    yaml_mark_t mark = parser->problem_mark;
    char begun[64] = "";

    if (context && hint->shown == SHOWN_CONTEXT)
        mark = parser->context_mark;
    else if (context && parser->context_mark.line < mark.line)
        snprintf(begun, sizeof(begun), " begun on line %zu", parser->context_mark.line + 1);
    diag_add(diag, FINDING_SYNTAX, place_of_mark(file, mark), NULL,
             "not well-formed YAML: %s%s%s%s; %s", context ? context : "", begun,
             context ? ", " : "", parser->problem, hint->text);
}

void yaml_syntax_error_report(const struct yaml_parser_s *parser, const char *file,
                              struct diag *diag)
{
    if (parser->error == YAML_MEMORY_ERROR)
        memory_fail();
    if (parser->error == YAML_READER_ERROR)
        report_bytes(parser, file, diag);
    else
        report_structure(parser, file, diag);
}
