/* SPDX-License-Identifier: MIT */
#include "lib/yaml/decode.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/lookalike.h"
#include "lib/base/suggest.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/yaml/reader.h"

/* What a switch may be; those at even places are true. */
static const char *const switch_words[] = {"true", "false", "on", "off"};

enum {
    SWITCH_WORDS = ARRAY_LEN(switch_words),
};

void field_report_type(struct field_context *context, const struct yaml_node *node,
                       const char *expected, const char *hint)
{
    char quoted[ERR_QUOTE_MAX];
    const char *found = "a list";

    if (node->kind == YAML_KIND_BROKEN)
        return;
    if (node->kind == YAML_KIND_TEXT)
        found = node->text.len == 0 ? "nothing" : err_quote(quoted, sizeof(quoted), node->text);
    else if (node->kind == YAML_KIND_MAP)
        found = "a mapping";
    diag_add(context->diag, FINDING_WRONG_TYPE, node->place, yaml_path_text(&context->path),
             "expected %s, found %s%s%s", expected, found, hint ? "; " : "", hint ? hint : "");
}

/* " has a no-break space in it, and", or "": a person does not see what escapes stand for. */
static const char *lookalike_note(struct slice text, char *buffer, size_t size)
{
    const char *lookalike = lookalike_find(text, NULL);

    snprintf(buffer, size, "%s%s%s", lookalike ? " has " : "", lookalike ? lookalike : "",
             lookalike ? " in it, and" : "");
    return buffer;
}

static void report_value(struct field_context *context, enum finding finding,
                         const struct yaml_node *node, const char *allowed)
{
    char quoted[ERR_QUOTE_MAX], note[64];

    diag_add(context->diag, finding, node->place, yaml_path_text(&context->path), "%s%s is not %s",
             err_quote(quoted, sizeof(quoted), node->text),
             lookalike_note(node->text, note, sizeof(note)), allowed);
}

/* What to do where a list or mapping stands for a text: [mailto: a@example.com] has a mapping. */
static const char *text_hint(const struct field *row, const struct yaml_node *node)
{
    const struct yaml_node *key = node->kind == YAML_KIND_MAP ? node->first : NULL;

    if (node->kind == YAML_KIND_LIST && row->type == FIELD_TEXTS)
        return "leave one pair of brackets out";
    if (key && !key->next && slice_eq_nocase(key->text, slice_of("mailto")))
        return "remove the space after mailto:";
    if (key && !key->next && slice_eq_nocase(key->text, slice_of("https")) &&
        key->value->text.len > 0)
        return "remove the space after https:";
    return "put a string with brackets, braces or a final colon in quotes";
}

static void decode_text(struct field_context *context, const struct field *row,
                        const struct yaml_node *node, void *target)
{
    size_t max = row->max != 0 ? row->max : FIELD_TEXT_MAX;
    struct field_text *value = target;

    *value = (struct field_text){slice_of(""), node->place};
    if (node->kind == YAML_KIND_TEXT && node->text.len == 0)
        field_report_type(context, node, "a string", NULL);
    else if (node->kind != YAML_KIND_TEXT)
        field_report_type(context, node, "a string", text_hint(row, node));
    else if (node->text.len > max)
        diag_add(context->diag, FINDING_BAD_VALUE, node->place, yaml_path_text(&context->path),
                 "found a string of %zu bytes; at most %zu are allowed", node->text.len, max);
    else if (slice_find_byte(node->text, '\0') < node->text.len)
        diag_add(context->diag, FINDING_BAD_VALUE, node->place, yaml_path_text(&context->path),
                 "found a string with a NUL in it, which no string here has");
    else
        value->text = (struct slice){arena_copy(context->arena, node->text), node->text.len};
}

static size_t count_items(const struct yaml_node *list)
{
    size_t count = 0;

    for (const struct yaml_node *item = list->first; item; item = item->next)
        count++;
    return count;
}

static void check_empty(struct field_context *context, const struct field *row,
                        const struct yaml_node *list)
{
    if (row->empty_error && !list->first)
        diag_add(context->diag, FINDING_KEY_MISSING, list->place, yaml_path_text(&context->path),
                 "the list is empty%s", row->empty_error);
}

static bool is_word(struct slice text, const char *const *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++)
        if (slice_eq_text(text, words[i]))
            return true;
    return false;
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

/* Whether a text that stands for a list may be an item of it, so that brackets are the cure. */
static bool is_item(const struct field *row, const struct yaml_node *node)
{
    static const char *const no_items[] = {"true", "false", "on",  "off",  "yes",
                                           "no",   "null",  "all", "none", "~"};

    if (node->kind != YAML_KIND_TEXT || node->text.len == 0)
        return false;
    return row->type == FIELD_WORDS ? is_word(node->text, row->words, row->n_words)
                                    : !is_word(node->text, no_items, ARRAY_LEN(no_items));
}

/* Says what a list holds, and how a text becomes its item. */
static void report_no_list(struct field_context *context, const struct field *row,
                           const struct yaml_node *node)
{
    bool has_several = slice_find_byte(node->text, ' ') < node->text.len ||
                       slice_find_byte(node->text, ',') < node->text.len;
    char quoted[ERR_QUOTE_MAX], words[256], expected[320], hint[ERR_QUOTE_MAX + 32];

    if (row->type == FIELD_WORDS)
        snprintf(expected, sizeof(expected), "a list of one or more of %s",
                 list_words(words, sizeof(words), row->words, row->n_words));
    else
        snprintf(expected, sizeof(expected), "a list, as in %s",
                 row->example ? row->example : "[one, two]");
    if (has_several)
        snprintf(hint, sizeof(hint), "write each as an item of the list");
    else
        snprintf(hint, sizeof(hint), "put it in brackets: [%s]",
                 err_quote(quoted, sizeof(quoted), node->text));
    field_report_type(context, node, expected, is_item(row, node) ? hint : NULL);
}

static void decode_texts(struct field_context *context, const struct field *row,
                         const struct yaml_node *node, void *target)
{
    size_t max_items = row->max_items != 0 ? row->max_items : FIELD_LIST_MAX;
    struct field_texts *texts = target;
    size_t n_items = count_items(node);

    if (node->kind != YAML_KIND_LIST) {
        report_no_list(context, row, node);
        return;
    }
    if (n_items > max_items) {
        diag_add(context->diag, FINDING_TOO_LARGE, node->place, yaml_path_text(&context->path),
                 "found a list of %zu; at most %zu are allowed", n_items, max_items);
        return;
    }
    check_empty(context, row, node);
    texts->items = arena_array(context->arena, n_items, sizeof(*texts->items));
    texts->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = yaml_path_index(&context->path, texts->n_items);

        decode_text(context, row, item, &texts->items[texts->n_items++]);
        yaml_path_leave(&context->path, old_len);
    }
}

/* What a duration may end with; without a unit it is in seconds. */
static const struct duration_unit {
    char letter;
    uint32_t seconds;
} duration_units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};

/* Seconds in the unit that a duration ends with; 0: no such unit. */
static uint64_t unit_seconds(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++)
        if (duration_units[i].letter == letter)
            return duration_units[i].seconds;
    return 0;
}

static int parse_duration(struct slice text, uint64_t *ret_seconds)
{
    uint64_t unit = 1, count;

    if (text.len > 0 && !ascii_is_digit(text.ptr[text.len - 1]))
        unit = unit_seconds(text.ptr[--text.len]);
    if (unit == 0 || slice_to_u64(text, UINT64_MAX / unit, &count) != 0)
        return -1;
    *ret_seconds = count * unit;
    return 0;
}

static int parse_number(const struct field *row, struct slice text, uint64_t *ret_number)
{
    if (row->type == FIELD_DURATION)
        return parse_duration(text, ret_number);
    if (row->suffix) {
        if (!slice_ends_with(text, row->suffix))
            return -1;
        text.len -= strlen(row->suffix);
    }
    return slice_to_u64(text, UINT64_MAX, ret_number);
}

void field_describe_numbers(const struct field *row, char *buffer, size_t size)
{
    const char *suffix = row->suffix ? row->suffix : "";

    if (row->type == FIELD_DURATION)
        snprintf(buffer, size, "a duration between %u and %u s, as in 3600, 90m, 12h, 3d or 2w",
                 row->min, row->max);
    else
        snprintf(buffer, size, "a number between %u%s and %u%s%s%s", row->min, suffix, row->max,
                 suffix, row->n_words > 0 ? ", or " : "", row->n_words > 0 ? row->words[0] : "");
}

/* Returns FINDING_NONE, or why the text is refused. */
static enum finding judge_number(const struct field *row, struct slice text, uint64_t *ret_number)
{
    if (row->n_words > 0 && slice_eq_text(text, row->words[0])) {
        *ret_number = 0;
        return FINDING_NONE;
    }
    if (parse_number(row, text, ret_number) != 0)
        return FINDING_BAD_VALUE;
    if (*ret_number >= row->min && *ret_number <= row->max)
        return FINDING_NONE;
    return row->finding != FINDING_NONE ? row->finding : FINDING_BAD_VALUE;
}

static void decode_number(struct field_context *context, const struct field *row,
                          const struct yaml_node *node, void *target)
{
    bool is_given = node->kind == YAML_KIND_TEXT && node->text.len > 0;
    struct field_number *number = target;
    enum finding finding = FINDING_NONE;
    char allowed[128];
    uint64_t value;

    if (is_given)
        finding = judge_number(row, node->text, &value);
    if (is_given && finding == FINDING_NONE) {
        *number = (struct field_number){(uint32_t)value, node->place};
        return;
    }
    field_describe_numbers(row, allowed, sizeof(allowed));
    if (is_given)
        report_value(context, finding, node, allowed);
    else
        field_report_type(context, node, allowed, NULL);
}

/* The word that was meant: by a slip of the pen, or its beginning, as "warn" is. */
static const char *nearest_word(const struct field *row, struct slice text)
{
    const char *nearest = suggest_word(text, row->words, row->n_words);

    for (size_t i = 0; !nearest && text.len >= 3 && i < row->n_words; i++)
        if (slice_eq(slice_range(slice_of(row->words[i]), 0, text.len), text))
            nearest = row->words[i];
    return nearest;
}

/* Lists the words and, for a slip of the pen, suggests the one that was meant. */
static void report_word(struct field_context *context, const struct field *row,
                        const struct yaml_node *node)
{
    const char *nearest = nearest_word(row, node->text);
    char list[256], allowed[384];

    snprintf(allowed, sizeof(allowed), "one of %s%s%s%s",
             list_words(list, sizeof(list), row->words, row->n_words),
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    if (node->kind == YAML_KIND_TEXT && node->text.len > 0)
        report_value(context, FINDING_BAD_VALUE, node, allowed);
    else
        field_report_type(context, node, allowed, NULL);
}

/* Index of the word, or row->n_words with a finding added. */
static size_t decode_one_word(struct field_context *context, const struct field *row,
                              const struct yaml_node *node)
{
    for (size_t i = 0; i < row->n_words; i++)
        if (node->kind == YAML_KIND_TEXT && slice_eq_text(node->text, row->words[i]))
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
        report_no_list(context, row, node);
        return;
    }
    bits->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = yaml_path_index(&context->path, position++);
        size_t index = decode_one_word(context, row, item);

        if (index < row->n_words)
            bits->value |= UINT32_C(1) << index;
        yaml_path_leave(&context->path, old_len);
    }
}

static void decode_switch(struct field_context *context, const struct yaml_node *node, void *target)
{
    const struct field row = {.words = switch_words, .n_words = SWITCH_WORDS};
    struct field_number *number = target;
    size_t index = decode_one_word(context, &row, node);

    if (index < SWITCH_WORDS)
        *number = (struct field_number){index % 2 == 0, node->place};
}

/* Says that a mapping is expected, with the first of its keys as an example. */
static void report_no_group(struct field_context *context, const struct field *row,
                            const struct yaml_node *node, const char *before, const char *after)
{
    char expected[128];

    snprintf(expected, sizeof(expected), "%s%s: ...%s", before, row->fields->rows[0].key, after);
    field_report_type(context, node, expected, NULL);
}

static void decode_group(struct field_context *context, const struct field *row,
                         const struct yaml_node *node, void *target)
{
    if (node->kind == YAML_KIND_MAP)
        field_decode(context, row->fields, node, target);
    else
        report_no_group(context, row, node, "a mapping, as in {", "}");
}

static void decode_groups(struct field_context *context, const struct field *row,
                          const struct yaml_node *node, void *target)
{
    struct field_groups *groups = target;

    if (node->kind != YAML_KIND_LIST) {
        report_no_group(context, row, node, "a list of mappings, as in [{", "}]");
        return;
    }
    check_empty(context, row, node);
    groups->items = arena_array(context->arena, count_items(node), row->size);
    groups->place = node->place;
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        size_t old_len = yaml_path_index(&context->path, groups->n_items);

        decode_group(context, row, item, (char *)groups->items + groups->n_items * row->size);
        groups->n_items++;
        yaml_path_leave(&context->path, old_len);
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

static const char *stranger_hint(const struct fields *fields, struct slice key)
{
    for (; fields; fields = fields->base)
        for (size_t i = 0; i < fields->n_strangers; i++)
            if (slice_eq_nocase(key, slice_of(fields->strangers[i].key)))
                return fields->strangers[i].hint;
    return NULL;
}

static void report_unknown_key(struct field_context *context, const struct fields *fields,
                               const struct yaml_node *key)
{
    const char *keys[FIELD_KEYS_MAX], *nearest = NULL, *hint = stranger_hint(fields, key->text);
    size_t n_keys = list_keys(fields, keys);
    char quoted[ERR_QUOTE_MAX], list[512], note[64];

    /* A finding that will not be shown is not worth the search: a file has room for millions. */
    if (!hint && diag_count(context->diag, LEVEL_ERROR) < DIAG_MAX)
        nearest = suggest_word(key->text, keys, n_keys);
    err_quote(quoted, sizeof(quoted), key->text);
    lookalike_note(key->text, note, sizeof(note));
    if (hint)
        diag_add(context->diag, FINDING_KEY_UNKNOWN, key->place, yaml_path_text(&context->path),
                 "%s is not a key here; %s", quoted, hint);
    else if (nearest)
        diag_add(context->diag, FINDING_KEY_UNKNOWN, key->place, yaml_path_text(&context->path),
                 "%s%s is not a key; did you mean '%s'?", quoted, note, nearest);
    else
        diag_add(context->diag, FINDING_KEY_UNKNOWN, key->place, yaml_path_text(&context->path),
                 "%s%s is not a key; the keys here are %s", quoted, note,
                 list_words(list, sizeof(list), keys, n_keys));
}

const struct field *field_row(const struct fields *fields, struct slice key)
{
    for (size_t i = 0; i < fields->n_rows; i++)
        if (slice_eq_text(key, fields->rows[i].key))
            return &fields->rows[i];
    return fields->base ? field_row(fields->base, key) : NULL;
}

const struct field *field_find(struct field_context *context, const struct fields *fields,
                               const struct yaml_node *key)
{
    const struct field *row = field_row(fields, key->text);

    if (!row)
        report_unknown_key(context, fields, key);
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
    diag_add(context->diag, FINDING_KEY_DUPLICATE, key->place, yaml_path_text(&context->path),
             "the key is given twice in one mapping; keep one of them");
}

static void check_required_keys(struct field_context *context, const struct fields *fields,
                                const struct yaml_node *map, const struct field *const *seen,
                                size_t n_seen)
{
    for (size_t i = 0; i < fields->n_rows; i++) {
        const struct field *row = &fields->rows[i];

        if (row->is_required && !field_is_among(seen, n_seen, row))
            diag_add(context->diag, FINDING_KEY_MISSING, map->place, yaml_path_text(&context->path),
                     "the key '%s' is needed: %s", row->key, row->help);
    }
}

void field_set_defaults(struct field_context *context, const struct fields *fields, void *object)
{
    if (fields->base)
        field_set_defaults(context, fields->base, object);
    for (size_t i = 0; i < fields->n_rows; i++) {
        const struct field *row = &fields->rows[i];

        if (row->default_text) {
            const struct yaml_node text = {.kind = YAML_KIND_TEXT,
                                           .text = slice_of(row->default_text)};

            field_decode_value(context, row, &text, object);
        } else if (row->type == FIELD_GROUP) {
            field_set_defaults(context, row->fields, (char *)object + row->offset);
        }
    }
}

void field_decode(struct field_context *context, const struct fields *fields,
                  const struct yaml_node *map, void *object)
{
    const struct field *seen[FIELD_KEYS_MAX];
    size_t n_seen = 0;

    field_set_defaults(context, fields, object);
    for (const struct yaml_node *key = map->first; key; key = key->next) {
        const struct field *row = field_find(context, fields, key);
        size_t old_len;

        if (!row)
            continue;
        old_len = yaml_path_enter(&context->path, key->text);
        if (field_is_among(seen, n_seen, row)) {
            field_report_duplicate(context, key);
        } else {
            seen[n_seen++] = row;
            field_decode_value(context, row, key->value, object);
        }
        yaml_path_leave(&context->path, old_len);
    }
    check_required_keys(context, fields, map, seen, n_seen);
}
