/* SPDX-License-Identifier: MIT */
#include "yaml/reader.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/arena.h"
#include "base/diag.h"

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one looked at; consumed by advance() */
    bool has_event;
    bool has_failed; /* a finding ended the walk: every event from now on is a stream's end */
    const char *file;
    struct slice bytes;
    struct diag *diag;
    size_t n_nodes; /* of the tree being built */
};

static struct place place_of(const struct yaml_reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* libyaml's reader gives only an offset for bytes that are not text. */
static struct place place_of_offset(const struct yaml_reader *reader, size_t offset)
{
    struct place place = {reader->file, 1, 1};

    for (size_t i = 0; i < offset && i < reader->bytes.len; i++) {
        unsigned char byte = (unsigned char)reader->bytes.ptr[i];

        if (byte == '\n') {
            place.line++;
            place.column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void fail(struct yaml_reader *reader, enum finding finding, struct place place,
                 const char *message)
{
    diag_add(reader->diag, finding, place, NULL, "%s", message);
    reader->has_failed = true;
}

static void report_syntax(struct yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "cannot be read";

    reader->has_failed = true;
    if (parser->error == YAML_READER_ERROR)
        diag_add(reader->diag, FINDING_SYNTAX, place_of_offset(reader, parser->problem_offset),
                 NULL, "byte 0x%02x: %s; a configuration is UTF-8 text",
                 (unsigned)parser->problem_value & 0xff, problem);
    else if (parser->context)
        diag_add(reader->diag, FINDING_SYNTAX, place_of(reader, parser->problem_mark), NULL,
                 "not well-formed YAML: %s, %s (from line %zu); look at the indentation, quotes "
                 "and brackets here",
                 parser->context, problem, parser->context_mark.line + 1);
    else
        diag_add(reader->diag, FINDING_SYNTAX, place_of(reader, parser->problem_mark), NULL,
                 "not well-formed YAML: %s; look at the indentation, quotes and brackets here",
                 problem);
}

static void drop_event(struct yaml_reader *reader)
{
    if (reader->has_event)
        yaml_event_delete(&reader->event);
    reader->has_event = false;
}

/* The event that comes next. At a failure, and from then on, it is the stream's end. */
static yaml_event_type_t peek(struct yaml_reader *reader)
{
    if (reader->has_failed)
        return YAML_STREAM_END_EVENT;
    if (!reader->has_event) {
        if (!yaml_parser_parse(&reader->parser, &reader->event)) {
            report_syntax(reader);
            return YAML_STREAM_END_EVENT;
        }
        reader->has_event = true;
    }
    return reader->event.type;
}

static struct place event_place(const struct yaml_reader *reader)
{
    if (!reader->has_event)
        return (struct place){reader->file, 0, 0};
    return place_of(reader, reader->event.start_mark);
}

/* One sentence for each part of YAML that is refused, with the way to say it here. */
static void refuse_feature(struct yaml_reader *reader, const char *message)
{
    diag_add(reader->diag, FINDING_YAML_FEATURE, event_place(reader), NULL, "%s", message);
}

static void check_properties(struct yaml_reader *reader, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    if (anchor)
        refuse_feature(reader, "an anchor (&) is not taken; give the policy a name under policies: "
                               "and use that name");
    if (tag)
        refuse_feature(reader, "a tag (!) is not taken; every value is a text here, so leave it "
                               "out");
}

struct yaml_reader *yaml_reader_new(const char *file, struct slice bytes, struct diag *diag)
{
    struct yaml_reader *reader = memory_alloc(sizeof(*reader));

    if (slice_starts_with(bytes, "\xef\xbb\xbf"))
        bytes = slice_range(bytes, 3, bytes.len);
    *reader = (struct yaml_reader){.file = file, .bytes = bytes, .diag = diag};
    if (!yaml_parser_initialize(&reader->parser))
        abort();
    /* Said outright, or a file that begins like UTF-16 would be read as such. */
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)bytes.ptr, bytes.len);
    return reader;
}

void yaml_reader_free(struct yaml_reader *reader)
{
    if (!reader)
        return;
    drop_event(reader);
    yaml_parser_delete(&reader->parser);
    free(reader);
}

/* Passes over one whole node, whatever its size, without building anything. */
static void skip_node(struct yaml_reader *reader)
{
    size_t depth = 0;

    do {
        switch (peek(reader)) {
        case YAML_MAPPING_START_EVENT:
        case YAML_SEQUENCE_START_EVENT:
            depth++;
            break;
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
            depth--;
            break;
        case YAML_STREAM_END_EVENT:
            return;
        default:
            break;
        }
        drop_event(reader);
    } while (depth > 0);
}

static void skip_starts(struct yaml_reader *reader)
{
    yaml_event_type_t type = peek(reader);

    while (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT) {
        drop_event(reader);
        type = peek(reader);
    }
}

int yaml_reader_enter(struct yaml_reader *reader, const char *what)
{
    skip_starts(reader);
    switch (peek(reader)) {
    case YAML_MAPPING_START_EVENT:
        check_properties(reader, reader->event.data.mapping_start.anchor,
                         reader->event.data.mapping_start.tag);
        drop_event(reader);
        return 0;
    case YAML_STREAM_END_EVENT:
        if (!reader->has_failed)
            fail(reader, FINDING_WRONG_TYPE, event_place(reader), "the file is empty");
        return -1;
    case YAML_ALIAS_EVENT:
        refuse_feature(reader, "an alias (*) is not taken; named policies say the same");
        break;
    default:
        diag_add(reader->diag, FINDING_WRONG_TYPE, event_place(reader), what,
                 "a mapping is due here, lines of 'key: value'");
    }
    skip_node(reader);
    return -1;
}

static struct yaml_node *new_node(struct yaml_reader *reader, struct arena *arena,
                                  enum yaml_kind kind)
{
    struct yaml_node *node = arena_alloc(arena, sizeof(*node));

    node->kind = kind;
    node->place = event_place(reader);
    return node;
}

static struct yaml_node *read_text(struct yaml_reader *reader, struct arena *arena)
{
    struct yaml_node *node = new_node(reader, arena, YAML_KIND_TEXT);
    struct slice text = {(const char *)reader->event.data.scalar.value,
                         reader->event.data.scalar.length};

    check_properties(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    node->text = (struct slice){arena_copy(arena, text), text.len};
    drop_event(reader);
    return node;
}

static struct yaml_node *read_node(struct yaml_reader *reader, struct arena *arena, size_t depth);

/* A key that is not a text cannot be named in a path; it and its value are passed over. */
static struct yaml_node *read_key(struct yaml_reader *reader, struct arena *arena)
{
    struct yaml_node *key;

    if (peek(reader) == YAML_SCALAR_EVENT) {
        bool is_plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

        key = read_text(reader, arena);
        if (is_plain && slice_eq_text(key->text, "<<")) {
            diag_add(reader->diag, FINDING_YAML_FEATURE, key->place, NULL,
                     "a merge key (<<) is not taken; write 'policy: name' and what differs");
            key->kind = YAML_KIND_BROKEN;
        }
        return key;
    }
    if (!reader->has_failed)
        diag_add(reader->diag, FINDING_WRONG_TYPE, event_place(reader), NULL,
                 "a key is a text; did a { or [ or * open something here?");
    key = new_node(reader, arena, YAML_KIND_BROKEN);
    skip_node(reader);
    return key;
}

static void read_map(struct yaml_reader *reader, struct arena *arena, struct yaml_node *map,
                     size_t depth)
{
    struct yaml_node **end = &map->first;

    check_properties(reader, reader->event.data.mapping_start.anchor,
                     reader->event.data.mapping_start.tag);
    drop_event(reader);
    while (peek(reader) != YAML_MAPPING_END_EVENT && !reader->has_failed) {
        struct yaml_node *key = read_key(reader, arena);

        key->value = read_node(reader, arena, depth + 1);
        if (key->kind == YAML_KIND_BROKEN)
            continue;
        *end = key;
        end = &key->next;
    }
    drop_event(reader);
}

static void read_list(struct yaml_reader *reader, struct arena *arena, struct yaml_node *list,
                      size_t depth)
{
    struct yaml_node **end = &list->first;

    check_properties(reader, reader->event.data.sequence_start.anchor,
                     reader->event.data.sequence_start.tag);
    drop_event(reader);
    while (peek(reader) != YAML_SEQUENCE_END_EVENT && !reader->has_failed) {
        *end = read_node(reader, arena, depth + 1);
        end = &(*end)->next;
    }
    drop_event(reader);
}

static struct yaml_node *read_node(struct yaml_reader *reader, struct arena *arena, size_t depth)
{
    yaml_event_type_t type = peek(reader);
    struct yaml_node *node;

    if (depth > YAML_DEPTH_MAX || ++reader->n_nodes > YAML_NODES_MAX) {
        if (!reader->has_failed)
            fail(reader, FINDING_TOO_LARGE, event_place(reader),
                 depth > YAML_DEPTH_MAX ? "nested too deeply; nothing here needs more than 4 levels"
                                        : "more than 10000 values under one key");
        return new_node(reader, arena, YAML_KIND_BROKEN);
    }
    switch (type) {
    case YAML_SCALAR_EVENT:
        return read_text(reader, arena);
    case YAML_MAPPING_START_EVENT:
        node = new_node(reader, arena, YAML_KIND_MAP);
        read_map(reader, arena, node, depth);
        return node;
    case YAML_SEQUENCE_START_EVENT:
        node = new_node(reader, arena, YAML_KIND_LIST);
        read_list(reader, arena, node, depth);
        return node;
    case YAML_ALIAS_EVENT:
        refuse_feature(reader, "an alias (*) is not taken; named policies say the same");
        break;
    default:
        break;
    }
    node = new_node(reader, arena, YAML_KIND_BROKEN);
    drop_event(reader);
    return node;
}

int yaml_reader_next(struct yaml_reader *reader, struct arena *arena, struct yaml_node **ret_key)
{
    struct yaml_node *key;

    for (;;) {
        yaml_event_type_t type = peek(reader);

        if (type == YAML_MAPPING_END_EVENT || type == YAML_STREAM_END_EVENT) {
            if (type == YAML_MAPPING_END_EVENT)
                drop_event(reader);
            return 0;
        }
        key = read_key(reader, arena);
        if (key->kind == YAML_KIND_TEXT && !reader->has_failed)
            break;
        skip_node(reader);
    }
    *ret_key = key;
    return 1;
}

struct yaml_node *yaml_reader_value(struct yaml_reader *reader, struct arena *arena)
{
    reader->n_nodes = 0;
    return read_node(reader, arena, 1);
}

void yaml_reader_skip(struct yaml_reader *reader)
{
    skip_node(reader);
}

int yaml_reader_finish(struct yaml_reader *reader)
{
    while (peek(reader) == YAML_DOCUMENT_END_EVENT)
        drop_event(reader);
    if (peek(reader) != YAML_STREAM_END_EVENT)
        fail(reader, FINDING_YAML_FEATURE, event_place(reader),
             "a second document (---) is not taken; use include: for further files");
    return reader->has_failed ? -1 : 0;
}
