/* SPDX-License-Identifier: MIT */
/**
 * Fields: rows of a table that turn one YAML mapping into one C struct.
 *
 * A row is a key. Decoding, error messages, the man page and the JSON Schema come from the same
 * rows. Every decoded value carries its place; a value with place.line 0 was not given and is the
 * default or zero.
 *
 * Pure but for the findings added; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/diag/config_finding.h"
#include "lib/yaml/path.h"

struct arena;
struct diag;
struct yaml_node;

enum field_type {
    FIELD_TEXT,     /* struct field_text */
    FIELD_TEXTS,    /* struct field_texts: a list of texts */
    FIELD_NUMBER,   /* struct field_number */
    FIELD_DURATION, /* struct field_number, seconds: a number, or one with s, m, h, d or w */
    FIELD_WORD,     /* struct field_number: index of the word among .words */
    FIELD_WORDS,    /* struct field_number: a list of words, a bit each */
    FIELD_SWITCH,   /* struct field_number: true or on is 1, false or off is 0 */
    FIELD_GROUP,    /* a mapping, decoded by .rows into the struct at the offset */
    FIELD_GROUPS,   /* struct field_groups: a list of mappings */
    FIELD_STREAM,   /* a mapping of any number of entries: read by the caller, never decoded here */
};

/** A text that was refused has its place and is empty, so that it still counts as given. */
struct field_text {
    struct slice text; /* NUL-terminated, without a NUL inside */
    struct place place;
};

struct field_texts {
    struct field_text *items; /* as many as in the YAML, the bad ones too */
    size_t n_items;
    struct place place;
};

struct field_number {
    uint32_t value;
    struct place place;
};

struct field_groups {
    void *items; /* structs of .size bytes */
    size_t n_items;
    struct place place;
};

/**
 * What a text looks like, for the JSON Schema only. It is wider than the check that the text gets
 * when it is used, never narrower.
 */
struct field_pattern {
    const char *regex;    /* ECMA-262, Python and RE2 read it alike */
    const char *expected; /* for people: "the absolute path of a socket" */
};

struct field {
    const char *key;
    enum field_type type;
    size_t offset;    /* of the value in the struct that the rows fill */
    const char *help; /* what the value is; its default too, where that is no default_text */
    const char *default_text; /* as in the YAML; no lists or mappings */
    const char *example;      /* TEXTS: of a list, as in the YAML; NULL: [one, two] */
    uint32_t min, max; /* NUMBER, DURATION: the range; TEXT, TEXTS: max bytes of a text, 0: 4096 */
    enum finding finding;     /* NUMBER, DURATION: for one out of range; FINDING_NONE: bad-value */
    uint32_t max_items;       /* TEXTS; 0: FIELD_LIST_MAX */
    const char *empty_error;  /* TEXTS, GROUPS: what follows "the list is empty"; NULL: it may be */
    const char *const *words; /* WORD, WORDS; NUMBER: words[0], if any, stands for 0 */
    size_t n_words;
    const char *suffix;                  /* NUMBER: what must follow the digits: "%" */
    const struct field_pattern *pattern; /* TEXT; TEXTS: of each; STREAM: of its keys; NULL: any */
    const char *(*choice)(size_t nth);   /* TEXTS, for the schema: all texts that are taken, then
                                            NULL; NULL: any */
    const struct fields *fields; /* GROUP, GROUPS, STREAM: the keys of the mapping or of each one */
    size_t size;                 /* GROUPS: of one item */
    bool has_short_form;         /* STREAM: a text or nothing may stand for an entry's mapping */
    bool has_list_form;          /* STREAM: a list of names may stand for the whole mapping */
    bool is_required;            /* its mapping must have it */
};

/** A key that people write where it is none, and the end of a sentence that says what to do. */
struct field_stranger {
    const char *key;
    const char *hint;
};

/** The keys of one mapping. */
struct fields {
    const struct field *rows;
    size_t n_rows;
    const struct field_stranger *strangers;
    size_t n_strangers;
    const struct fields
        *base; /* further keys, of a struct that stands first in this one's; or NULL */
};

enum {
    FIELD_KEYS_MAX = 64, /* rows of one mapping, its base's included */
    FIELD_TEXT_MAX = 4096,
    FIELD_LIST_MAX = 1024,
};

/** Where findings are added, what owns the values, and the path of the value at hand. */
struct field_context {
    struct diag *diag;
    struct arena *arena; /* owns what is decoded */
    struct yaml_path path;
};

/** Sets the defaults, without places, in `object`, which the caller has zeroed, and its groups. */
void field_set_defaults(struct field_context *context, const struct fields *fields, void *object);

/**
 * Decodes a mapping into `object`, which the caller has zeroed, over its defaults. All that is
 * wrong with any key is added to the context's diag.
 */
void field_decode(struct field_context *context, const struct fields *fields,
                  const struct yaml_node *map, void *object);

/** Decodes one value by its row, for a key that the caller has read itself. */
void field_decode_value(struct field_context *context, const struct field *row,
                        const struct yaml_node *value, void *object);

/** The row of a key; NULL: there is none. */
const struct field *field_row(const struct fields *fields, struct slice key);

/** Finds the row of a key, or adds a finding that names the nearest key and returns NULL. */
const struct field *field_find(struct field_context *context, const struct fields *fields,
                               const struct yaml_node *key);

/**
 * Reports a node of the wrong type: "expected a list of texts, found 'x'".
 *
 * hint  what the author may have to do; NULL: none
 */
void field_report_type(struct field_context *context, const struct yaml_node *node,
                       const char *expected, const char *hint);

/** Says that `key`, whose path the context holds, was already given in its mapping. */
void field_report_duplicate(struct field_context *context, const struct yaml_node *key);

/** Describes the numbers that a NUMBER or DURATION takes, as they are written in the YAML. */
void field_describe_numbers(const struct field *row, char *buffer, size_t size);

/** Whether `row` is among `rows`. */
bool field_is_among(const struct field *const *rows, size_t n_rows, const struct field *row);
