/* SPDX-License-Identifier: MIT */
/**
 * JSON output (RFC 8259). There is no JSON reader in this program.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct slice;

enum {
    JSON_DEPTH_MAX = 32, /* objects and arrays within one another */
};

/** Where the members of an object or the items of an array stand. */
enum json_layout {
    JSON_ON_ONE_LINE,
    JSON_ON_LINES, /* each on a line of its own, indented */
};

/**
 * Writes commas, colons, line ends and indentation. Zeroed to begin with but for `out` and
 * `indent`; nothing is to be released. One thread at a time.
 */
struct json_writer {
    FILE *out;
    int indent; /* spaces more for each object or array JSON_ON_LINES */
    unsigned depth;
    int n_indented;                 /* objects and arrays JSON_ON_LINES around this place */
    uint32_t has_members, on_lines; /* a bit for each depth */
    bool has_key;                   /* the next value belongs to a key */
};

/** Begins a value; each begin has its end. More than JSON_DEPTH_MAX levels abort. */
void json_begin_object(struct json_writer *writer, enum json_layout layout);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer, enum json_layout layout);
void json_end_array(struct json_writer *writer);

/** Writes the key of the value that comes next. */
void json_key(struct json_writer *writer, const char *key);

/** Writes a string; NULL writes null. */
void json_text(struct json_writer *writer, const char *text);

/** The same, of bytes. */
void json_slice(struct json_writer *writer, struct slice text);

/** Writes a number. */
void json_number(struct json_writer *writer, uint64_t number);

/** Writes true or false. */
void json_bool(struct json_writer *writer, bool value);

/** Writes a value that is JSON already. */
void json_raw(struct json_writer *writer, const char *json);

/** A key and its value in one call. */
void json_text_member(struct json_writer *writer, const char *key, const char *text);
void json_number_member(struct json_writer *writer, const char *key, uint64_t number);

/**
 * Prints `text` as a JSON string, quotes included, for formats that are not JSON as a whole;
 * controls and what JSON reserves are escaped. Bytes that are not valid UTF-8 come out as U+FFFD,
 * so the output always is.
 */
void json_print_slice(struct slice text, FILE *out);

/** The same for a NUL-terminated text; NULL prints null. */
void json_print_text(const char *text, FILE *out);
