/* SPDX-License-Identifier: MIT */
#include "lib/yaml/reader.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "lib/base/arena.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/yaml/syntax_error.h"

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one looked at; consumed by drop_event() */
    bool has_event;
    bool has_failed; /* a finding ended the walk: every event from then on is the stream's end */
    const char *file;
    struct diag *diag;
    size_t n_nodes; /* of the tree being built */
};

static void drop_event(struct yaml_reader *reader)
{
    if (reader->has_event)
        yaml_event_delete(&reader->event);
    reader->has_event = false;
}

/* Returns the next event. From a failure on, this is the stream's end. */
static yaml_event_type_t reader_peek(struct yaml_reader *reader)
{
    if (reader->has_failed)
        return YAML_STREAM_END_EVENT;
    if (!reader->has_event) {
        if (!yaml_parser_parse(&reader->parser, &reader->event)) {
            yaml_syntax_error_report(&reader->parser, reader->file, reader->diag);
            reader->has_failed = true;
            return YAML_STREAM_END_EVENT;
        }
        reader->has_event = true;
    }
    return reader->event.type;
}

static struct place event_place(const struct yaml_reader *reader)
{
    yaml_mark_t mark = reader->event.start_mark;

    if (!reader->has_event)
        return (struct place){reader->file, 0, 0};
    return (struct place){reader->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct slice scalar_text(const struct yaml_reader *reader)
{
    return (struct slice){(const char *)reader->event.data.scalar.value,
                          reader->event.data.scalar.length};
}

static void reader_fail(struct yaml_reader *reader, enum finding finding, const char *message)
{
    diag_add(reader->diag, finding, event_place(reader), NULL, "%s", message);
    reader->has_failed = true;
}

/* Refuses a feature of YAML by name and says what to write instead. */
static void refuse_feature(struct yaml_reader *reader, const char *what, char sign,
                           const yaml_char_t *name)
{
    char quoted[ERR_QUOTE_MAX], text[ERR_QUOTE_MAX];

    snprintf(text, sizeof(text), "%c%s", sign, (const char *)name);
    diag_add(
        reader->diag, FINDING_YAML_FEATURE, event_place(reader), NULL,
        "the %s %s is not supported; what several domains share is a policy under policies:, and "
        "put a string that begins with %c in quotes",
        what, err_quote(quoted, sizeof(quoted), slice_of(text)), sign);
}

static void refuse_alias(struct yaml_reader *reader)
{
    refuse_feature(reader, "alias", '*', reader->event.data.alias.anchor);
}

static void check_properties(struct yaml_reader *reader, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    char quoted[ERR_QUOTE_MAX];

    if (anchor)
        refuse_feature(reader, "anchor", '&', anchor);
    if (tag)
        diag_add(reader->diag, FINDING_YAML_FEATURE, event_place(reader), NULL,
                 "the tag %s is not supported; leave it out, every value is a string here",
                 err_quote(quoted, sizeof(quoted), slice_of((const char *)tag)));
}

struct yaml_reader *yaml_reader_new(const char *file, struct slice bytes, struct diag *diag)
{
    static const char windows_mark[] = "\xef\xbb\xbf"; /* Windows puts it before UTF-8 */
    struct yaml_reader *reader = memory_alloc(sizeof(*reader));

    *reader = (struct yaml_reader){.file = file, .diag = diag};
    if (!yaml_parser_initialize(&reader->parser))
        memory_fail();
    if (slice_starts_with(bytes, windows_mark))
        bytes = slice_range(bytes, sizeof(windows_mark) - 1, bytes.len);
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

/* libyaml's time goes up with the square of the depth: 100,000 levels take it half a minute. */
static void reader_fail_depth(struct yaml_reader *reader)
{
    diag_add(reader->diag, FINDING_TOO_LARGE, event_place(reader), NULL,
             "nested deeper than %d levels, more than any key needs; is a bracket left open?",
             YAML_DEPTH_MAX);
    reader->has_failed = true;
}

/* Passes over one whole node without building anything. */
static void skip_node(struct yaml_reader *reader)
{
    size_t depth = 0;

    do {
        switch (reader_peek(reader)) {
        case YAML_MAPPING_START_EVENT:
        case YAML_SEQUENCE_START_EVENT:
            if (++depth > YAML_DEPTH_MAX)
                reader_fail_depth(reader);
            break;
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
            depth--;
            break;
        default:
            break;
        }
        drop_event(reader);
    } while (depth > 0 && !reader->has_failed);
}

static void skip_starts(struct yaml_reader *reader)
{
    yaml_event_type_t type = reader_peek(reader);

    while (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT) {
        drop_event(reader);
        type = reader_peek(reader);
    }
}

/* Reports what stands where a mapping is expected. */
static void refuse_event(struct yaml_reader *reader, const char *what)
{
    char quoted[ERR_QUOTE_MAX];
    const char *found = "a list";

    if (reader->event.type == YAML_SCALAR_EVENT)
        found = reader->event.data.scalar.length == 0
                    ? "nothing"
                    : err_quote(quoted, sizeof(quoted), scalar_text(reader));
    diag_add(reader->diag, FINDING_WRONG_TYPE, event_place(reader), what,
             "expected a mapping, lines of 'key: value', found %s", found);
}

bool yaml_reader_is_at_nothing(struct yaml_reader *reader)
{
    skip_starts(reader);
    switch (reader_peek(reader)) {
    case YAML_STREAM_END_EVENT:
        return !reader->has_failed;
    case YAML_SCALAR_EVENT:
        return reader->event.data.scalar.length == 0 && !reader->event.data.scalar.anchor &&
               !reader->event.data.scalar.tag;
    default:
        return false;
    }
}

int yaml_reader_enter(struct yaml_reader *reader, const char *what)
{
    skip_starts(reader);
    switch (reader_peek(reader)) {
    case YAML_MAPPING_START_EVENT:
        check_properties(reader, reader->event.data.mapping_start.anchor,
                         reader->event.data.mapping_start.tag);
        drop_event(reader);
        return 0;
    case YAML_STREAM_END_EVENT:
        if (!reader->has_failed)
            reader_fail(reader, FINDING_WRONG_TYPE,
                        "expected a mapping, lines of 'key: value', found an empty file");
        return -1;
    case YAML_ALIAS_EVENT:
        refuse_alias(reader);
        break;
    default:
        refuse_event(reader, what);
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
    struct slice text = scalar_text(reader);

    check_properties(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    node->text = (struct slice){arena_copy(arena, text), text.len};
    drop_event(reader);
    return node;
}

static struct yaml_node *read_node(struct yaml_reader *reader, struct arena *arena, size_t depth);

/* Names what an event begins that is not a text. */
static const char *node_name(yaml_event_type_t type)
{
    return type == YAML_MAPPING_START_EVENT    ? "a mapping"
           : type == YAML_SEQUENCE_START_EVENT ? "a list"
                                               : "an alias";
}

/* A key that is not a text cannot be named in a path; it and its value are passed over. */
static struct yaml_node *read_key(struct yaml_reader *reader, struct arena *arena)
{
    struct yaml_node *key;

    if (reader_peek(reader) == YAML_SCALAR_EVENT) {
        bool is_plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

        key = read_text(reader, arena);
        if (is_plain && slice_eq_text(key->text, "<<")) {
            diag_add(reader->diag, FINDING_YAML_FEATURE, key->place, NULL,
                     "a merge key (<<) is not supported; write 'policy: name' and what differs");
            key->kind = YAML_KIND_BROKEN;
        }
        return key;
    }
    if (!reader->has_failed)
        diag_add(reader->diag, FINDING_WRONG_TYPE, event_place(reader), NULL,
                 "expected a key, found %s; put a key that begins with {, [ or * in quotes",
                 node_name(reader_peek(reader)));
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
    while (reader_peek(reader) != YAML_MAPPING_END_EVENT && !reader->has_failed) {
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
    while (reader_peek(reader) != YAML_SEQUENCE_END_EVENT && !reader->has_failed) {
        *end = read_node(reader, arena, depth + 1);
        end = &(*end)->next;
    }
    drop_event(reader);
}

static void check_size(struct yaml_reader *reader, size_t depth)
{
    if (depth > YAML_DEPTH_MAX)
        reader_fail_depth(reader);
    else if (++reader->n_nodes > YAML_NODES_MAX)
        reader_fail(reader, FINDING_TOO_LARGE,
                    "found more values under one key than any can have; is a bracket left open?");
}

static struct yaml_node *read_node(struct yaml_reader *reader, struct arena *arena, size_t depth)
{
    yaml_event_type_t type = reader_peek(reader);
    struct yaml_node *node;

    if (!reader->has_failed)
        check_size(reader, depth);
    if (reader->has_failed)
        return new_node(reader, arena, YAML_KIND_BROKEN);
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
    default: /* nothing but an alias is left that a value can be */
        refuse_alias(reader);
        node = new_node(reader, arena, YAML_KIND_BROKEN);
        drop_event(reader);
        return node;
    }
}

int yaml_reader_next(struct yaml_reader *reader, struct arena *arena, struct yaml_node **ret_key)
{
    for (;;) {
        yaml_event_type_t type = reader_peek(reader);
        struct yaml_node *key;

        if (type == YAML_MAPPING_END_EVENT)
            drop_event(reader);
        if (type == YAML_MAPPING_END_EVENT || type == YAML_DOCUMENT_END_EVENT ||
            type == YAML_STREAM_END_EVENT)
            return 0;
        key = read_key(reader, arena);
        if (key->kind == YAML_KIND_TEXT) {
            *ret_key = key;
            return 1;
        }
        skip_node(reader);
    }
}

struct yaml_node *yaml_reader_value(struct yaml_reader *reader, struct arena *arena)
{
    struct yaml_node *node;

    reader->n_nodes = 0;
    node = read_node(reader, arena, 1);
    /* Half a value would be judged for lacking what is in the other half. */
    if (reader->has_failed)
        node->kind = YAML_KIND_BROKEN;
    return node;
}

int yaml_reader_enter_list(struct yaml_reader *reader)
{
    skip_starts(reader);
    if (reader_peek(reader) != YAML_SEQUENCE_START_EVENT)
        return 0;
    check_properties(reader, reader->event.data.sequence_start.anchor,
                     reader->event.data.sequence_start.tag);
    drop_event(reader);
    return 1;
}

int yaml_reader_next_item(struct yaml_reader *reader, struct arena *arena,
                          struct yaml_node **ret_item)
{
    yaml_event_type_t type = reader_peek(reader);

    if (type == YAML_SEQUENCE_END_EVENT)
        drop_event(reader);
    if (type == YAML_SEQUENCE_END_EVENT || type == YAML_DOCUMENT_END_EVENT ||
        type == YAML_STREAM_END_EVENT)
        return 0;
    *ret_item = yaml_reader_value(reader, arena);
    return 1;
}

void yaml_reader_skip(struct yaml_reader *reader)
{
    skip_node(reader);
}

int yaml_reader_finish(struct yaml_reader *reader)
{
    while (reader_peek(reader) == YAML_DOCUMENT_END_EVENT)
        drop_event(reader);
    if (reader_peek(reader) != YAML_STREAM_END_EVENT)
        reader_fail(reader, FINDING_YAML_FEATURE,
                    "a second document (---) is not supported; use include: for further files");
    return reader->has_failed ? -1 : 0;
}
