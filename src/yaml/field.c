/* SPDX-License-Identifier: MIT */
#include "yaml/field.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/nearest.h"
#include "yaml/reader.h"

static size_t append_path(struct field_context *context, const char *before, struct slice name,
                          const char *after)
{
    size_t old_len = context->path_len;
    size_t room = sizeof(context->path) - old_len;
    size_t used;

    used =
        (size_t)snprintf(context->path + old_len, room, "%s%.*s%s", before, SLICE_ARG(name), after);
    context->path_len += used < room ? used : room - 1;
    for (size_t i = old_len; i < context->path_len; i++) {
        unsigned char byte = (unsigned char)context->path[i];

        if (byte < 0x20 || byte == 0x7f)
            context->path[i] = '?';
    }
    return old_len;
}

size_t field_path_enter(struct field_context *context, struct slice name)
{
    return append_path(context, context->path_len == 0 ? "" : ".", name, "");
}

size_t field_path_index(struct field_context *context, size_t index)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%zu", index);
    return append_path(context, "[", slice_of(digits), "]");
}

void field_path_leave(struct field_context *context, size_t old_len)
{
    context->path_len = old_len;
    context->path[old_len] = '\0';
}

void field_report_type(struct field_context *context, const struct yaml_node *node, const char *due)
{
    char quoted[ERR_QUOTE_MAX];
    const char *found = "a list";

    if (node->kind == YAML_KIND_BROKEN)
        return;
    if (node->kind == YAML_KIND_TEXT)
        found = node->text.len == 0 ? "nothing" : err_quote(quoted, sizeof(quoted), node->text);
    else if (node->kind == YAML_KIND_MAP)
        found = "a mapping";
    diag_add(context->diag, FINDING_WRONG_TYPE, node->place, context->path,
             "found %s; %s is due here", found, due);
}

static void report_value(struct field_context *context, const struct yaml_node *node,
                         const char *allowed)
{
    char quoted[ERR_QUOTE_MAX];

    diag_add(context->diag, FINDING_BAD_VALUE, node->place, context->path, "%s is not %s",
             err_quote(quoted, sizeof(quoted), node->text), allowed);
}

static void decode_text(struct field_context *context, const struct field *row,
                        const struct yaml_node *node, void *target)
{
    size_t max = row->max != 0 ? row->max : FIELD_TEXT_MAX;
    struct field_text *value = target;

    if (node->kind != YAML_KIND_TEXT || node->text.len == 0) {
        field_report_type(context, node, "a text");
    } else if (node->text.len > max || slice_find_byte(node->text, '\0') < node->text.len) {
        diag_add(context->diag, FINDING_BAD_VALUE, node->place, context->path,
                 "found a text of %zu bytes; 1 to %zu bytes without a NUL are allowed",
                 node->text.len, max);
    } else {
        *value = (struct field_text){{arena_copy(context->arena, node->text), node->text.len},
                                     node->place};
    }
}

static size_t count_items(const struct yaml_node *list)
{
    size_t count = 0;

    for (const struct yaml_node *item = list->first; item; item = item->next)
        count++;
    return count;
}

static void decode_texts(struct field_context *context, const struct field *row,
                         const struct yaml_node *node, void *target)
{
    struct field_texts *texts = target;
    size_t index = 0;

    if (node->kind != YAML_KIND_LIST) {
        field_report_type(context, node, "a list of texts, as in [one, two],");
        return;
    }
    texts->items = arena_array(context->arena, count_items(node), sizeof(*texts->items));
    texts->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = field_path_index(context, index++);
        struct field_text *text = &texts->items[texts->n_items];

        decode_text(context, row, item, text);
        texts->n_items += text->place.line != 0;
        field_path_leave(context, old_len);
    }
}

/* Seconds in the unit that a duration ends with; 0: no such unit. */
static uint64_t unit_seconds(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

static int parse_duration(struct slice text, uint64_t *ret_seconds)
{
    uint64_t unit = 1, count;

    if (text.len > 0 && !ascii_is_digit(text.ptr[text.len - 1]))
        unit = unit_seconds(text.ptr[--text.len]);
    if (unit == 0 || slice_to_u64(text, UINT32_MAX, &count) != 0)
        return -1;
    *ret_seconds = count * unit;
    return 0;
}

static int parse_number(const struct field *row, struct slice text, uint64_t *ret_number)
{
    if (row->suffix) {
        if (!slice_ends_with(text, row->suffix))
            return -1;
        text.len -= strlen(row->suffix);
    }
    return slice_to_u64(text, UINT64_MAX, ret_number);
}

static void decode_number(struct field_context *context, const struct field *row,
                          const struct yaml_node *node, void *target)
{
    bool is_duration = row->type == FIELD_DURATION;
    struct field_number *number = target;
    char allowed[128];
    uint64_t value;
    int result;

    if (node->kind != YAML_KIND_TEXT) {
        field_report_type(context, node, is_duration ? "a duration" : "a number");
        return;
    }
    result =
        is_duration ? parse_duration(node->text, &value) : parse_number(row, node->text, &value);
    if (result == 0 && value >= row->min && value <= row->max) {
        *number = (struct field_number){(uint32_t)value, node->place};
        return;
    }
    snprintf(allowed, sizeof(allowed),
             is_duration ? "a duration from %u%s to %u s%s%s (a number of seconds, or one with "
                           "s, m, h, d or w)"
                         : "a number from %u%s to %u%s%s%s",
             row->min, row->suffix ? row->suffix : "", row->max, row->suffix ? row->suffix : "",
             row->n_words > 0 ? " or " : "", row->n_words > 0 ? row->words[0] : "");
    report_value(context, node, allowed);
}

/* "one, two, three", cut where the buffer ends. */
static const char *list_words(char *buffer, size_t size, const char *const *words, size_t n_words)
{
    size_t len = 0;

    buffer[0] = '\0';
    for (size_t i = 0; i < n_words && len < size; i++)
        len += (size_t)snprintf(buffer + len, size - len, "%s%s", i == 0 ? "" : ", ", words[i]);
    return buffer;
}

/* Says which words there are and, for a slip of the pen, which one was meant. */
static void report_word(struct field_context *context, const struct field *row,
                        const struct yaml_node *node)
{
    const char *nearest = nearest_word(node->text, row->words, row->n_words);
    char list[256], allowed[384];

    snprintf(allowed, sizeof(allowed), "one of %s%s%s%s",
             list_words(list, sizeof(list), row->words, row->n_words),
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    report_value(context, node, allowed);
}

/* Index of the word, or row->n_words with a finding added. */
static size_t decode_one_word(struct field_context *context, const struct field *row,
                              const struct yaml_node *node)
{
    if (node->kind != YAML_KIND_TEXT) {
        field_report_type(context, node, "a word");
        return row->n_words;
    }
    for (size_t i = 0; i < row->n_words; i++)
        if (slice_eq_text(node->text, row->words[i]))
            return i;
    report_word(context, row, node);
    return row->n_words;
}

static void decode_word(struct field_context *context, const struct field *row,
                        const struct yaml_node *node, void *target)
{
    struct field_number *number = target;
    size_t index = decode_one_word(context, row, node);

    if (index < row->n_words)
        *number = (struct field_number){(uint32_t)index, node->place};
}

static void decode_words(struct field_context *context, const struct field *row,
                         const struct yaml_node *node, void *target)
{
    struct field_number *bits = target;
    size_t position = 0;

    if (node->kind != YAML_KIND_LIST) {
        field_report_type(context, node, "a list of words, as in [one, two],");
        return;
    }
    bits->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = field_path_index(context, position++);
        size_t index = decode_one_word(context, row, item);

        if (index < row->n_words)
            bits->value |= UINT32_C(1) << index;
        field_path_leave(context, old_len);
    }
}

static void decode_switch(struct field_context *context, const struct yaml_node *node, void *target)
{
    static const char *const words[] = {"false", "true"};
    const struct field row = {.words = words, .n_words = ARRAY_LEN(words)};

    decode_word(context, &row, node, target);
}

static void decode_group(struct field_context *context, const struct field *row,
                         const struct yaml_node *node, void *target)
{
    if (node->kind == YAML_KIND_MAP)
        field_decode(context, row->fields, node, target);
    else
        field_report_type(context, node, "a mapping");
}

static void decode_groups(struct field_context *context, const struct field *row,
                          const struct yaml_node *node, void *target)
{
    struct field_groups *groups = target;

    if (node->kind != YAML_KIND_LIST) {
        field_report_type(context, node, "a list of mappings");
        return;
    }
    groups->items = arena_array(context->arena, count_items(node), row->size);
    groups->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = field_path_index(context, groups->n_items);

        decode_group(context, row, item, (char *)groups->items + groups->n_items * row->size);
        groups->n_items++;
        field_path_leave(context, old_len);
    }
}

void field_decode_value(struct field_context *context, const struct field *row,
                        const struct yaml_node *value, void *object)
{
    void *target = (char *)object + row->offset;

    switch (row->type) {
    case FIELD_TEXT:
        decode_text(context, row, value, target);
        break;
    case FIELD_TEXTS:
        decode_texts(context, row, value, target);
        break;
    case FIELD_NUMBER:
    case FIELD_DURATION:
        decode_number(context, row, value, target);
        break;
    case FIELD_WORD:
        decode_word(context, row, value, target);
        break;
    case FIELD_WORDS:
        decode_words(context, row, value, target);
        break;
    case FIELD_SWITCH:
        decode_switch(context, value, target);
        break;
    case FIELD_GROUP:
        decode_group(context, row, value, target);
        break;
    case FIELD_GROUPS:
        decode_groups(context, row, value, target);
        break;
    case FIELD_STREAM:
        break;
    }
}

/* The keys of a mapping, its base's first. Returns how many, at most FIELD_KEYS_MAX. */
static size_t list_keys(const struct fields *fields, const char *keys[FIELD_KEYS_MAX])
{
    size_t count = fields->base ? list_keys(fields->base, keys) : 0;

    for (size_t i = 0; i < fields->n_rows && count < FIELD_KEYS_MAX; i++)
        keys[count++] = fields->rows[i].key;
    return count;
}

static void report_unknown(struct field_context *context, const struct fields *fields,
                           const struct yaml_node *key)
{
    const char *keys[FIELD_KEYS_MAX], *nearest;
    size_t n_keys = list_keys(fields, keys);
    char quoted[ERR_QUOTE_MAX], list[512];

    nearest = nearest_word(key->text, keys, n_keys);
    err_quote(quoted, sizeof(quoted), key->text);
    if (nearest)
        diag_add(context->diag, FINDING_KEY_UNKNOWN, key->place, context->path,
                 "%s is not a key; did you mean '%s'?", quoted, nearest);
    else
        diag_add(context->diag, FINDING_KEY_UNKNOWN, key->place, context->path,
                 "%s is not a key; the keys here are %s", quoted,
                 list_words(list, sizeof(list), keys, n_keys));
}

static const struct field *find_row(const struct fields *fields, struct slice key)
{
    for (size_t i = 0; i < fields->n_rows; i++)
        if (slice_eq_text(key, fields->rows[i].key))
            return &fields->rows[i];
    return fields->base ? find_row(fields->base, key) : NULL;
}

const struct field *field_find(struct field_context *context, const struct fields *fields,
                               const struct yaml_node *key)
{
    const struct field *row = find_row(fields, key->text);

    if (!row)
        report_unknown(context, fields, key);
    else if (row->is_later)
        diag_add(context->diag, FINDING_KEY_LATER, key->place, context->path,
                 "'%s' is checked, but this version does not act on it yet", row->key);
    return row;
}

bool field_is_among(const struct field *const *rows, size_t n_rows, const struct field *row)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i] == row)
            return true;
    return false;
}

void field_report_duplicate(struct field_context *context, const struct yaml_node *key)
{
    diag_add(context->diag, FINDING_KEY_DUPLICATE, key->place, context->path,
             "the key is given twice in one mapping; keep one of them");
}

void field_decode(struct field_context *context, const struct fields *fields,
                  const struct yaml_node *map, void *object)
{
    const struct field *seen[FIELD_KEYS_MAX];
    size_t n_seen = 0;

    for (const struct yaml_node *key = map->first; key; key = key->next) {
        const struct field *row = field_find(context, fields, key);
        size_t old_len;

        if (!row)
            continue;
        old_len = field_path_enter(context, key->text);
        if (field_is_among(seen, n_seen, row)) {
            field_report_duplicate(context, key);
        } else {
            seen[n_seen++] = row;
            field_decode_value(context, row, key->value, object);
        }
        field_path_leave(context, old_len);
    }
}
