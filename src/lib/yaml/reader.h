/* SPDX-License-Identifier: MIT */
/**
 * YAML input: a walk over the keys of a file that builds one value's small tree at a time.
 *
 * Every scalar is a string (no booleans, dates or octal numbers by surprise). Anchors, aliases,
 * tags, merge keys and further documents are findings. What a file can cost is bounded: nesting by
 * YAML_DEPTH_MAX, one value's tree by YAML_NODES_MAX.
 * One reader, one thread at a time.
 * Source: YAML 1.1 as libyaml reads it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct arena;
struct diag;
struct yaml_reader;

enum {
    YAML_DEPTH_MAX = 16,
    YAML_NODES_MAX = 10000,
};

enum yaml_kind {
    YAML_KIND_TEXT,
    YAML_KIND_LIST,
    YAML_KIND_MAP,
    YAML_KIND_BROKEN, /* already reported: decoders ignore it */
};

struct yaml_node {
    enum yaml_kind kind;
    struct place place;
    struct slice text;       /* of a TEXT; NUL-terminated */
    struct yaml_node *first; /* items of a LIST, keys of a MAP */
    struct yaml_node *value; /* of a key */
    struct yaml_node *next;  /* the item or key after this one */
};

/**
 * file   the name shown in findings and places; lives as long as the places
 * bytes  of the whole file; live as long as the reader
 * Never returns NULL.
 */
struct yaml_reader *yaml_reader_new(const char *file, struct slice bytes, struct diag *diag);

/** Takes NULL. */
void yaml_reader_free(struct yaml_reader *reader);

/**
 * Whether nothing stands where a value comes next: at the start of a file that has comments only,
 * or behind a key just read. Nothing is consumed.
 */
bool yaml_reader_is_at_nothing(struct yaml_reader *reader);

/**
 * Enters the mapping that comes next: the document's, or the value of the key just read.
 *
 * what  what the mapping is of, for the finding if there is something else: "domains"
 * Returns 0, or -1 with a finding added; then the value has been passed over.
 */
int yaml_reader_enter(struct yaml_reader *reader, const char *what);

/**
 * Reads the next key of the mapping entered last; at its end that mapping is left.
 *
 * arena    owns *ret_key
 * ret_key  a TEXT; set only when 1 is returned
 * Returns 1, or 0 at the end of the mapping, of the file or of what can be read of it.
 */
int yaml_reader_next(struct yaml_reader *reader, struct arena *arena, struct yaml_node **ret_key);

/**
 * Enters the list that comes next, in place of a mapping.
 *
 * Returns 1, or 0 if something else comes, which is left where it is.
 */
int yaml_reader_enter_list(struct yaml_reader *reader);

/**
 * Reads the next item of the list entered last, as yaml_reader_value() does; at its end that list
 * is left. Returns 1 or 0 as yaml_reader_next().
 */
int yaml_reader_next_item(struct yaml_reader *reader, struct arena *arena,
                          struct yaml_node **ret_item);

/** Reads the value of the key just read as a tree; never NULL, but perhaps BROKEN. */
struct yaml_node *yaml_reader_value(struct yaml_reader *reader, struct arena *arena);

/** Passes over the value of the key just read. */
void yaml_reader_skip(struct yaml_reader *reader);

/**
 * Makes sure that nothing follows the document.
 *
 * Returns 0 if the whole file was read, -1 if a finding says why not.
 */
int yaml_reader_finish(struct yaml_reader *reader);
