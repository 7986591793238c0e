/* SPDX-License-Identifier: MIT */
#include "lib/yaml/json_schema.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/yaml/decode.h"

static void schema_print_type(struct json_writer *writer, const char *json)
{
    json_key(writer, "type");
    json_raw(writer, json);
}

static void schema_print_words(struct json_writer *writer, const struct field *row)
{
    json_key(writer, "enum");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; i < row->n_words; i++)
        json_text(writer, row->words[i]);
    json_end_array(writer);
}

static void schema_print_expected(struct json_writer *writer, const char *expected)
{
    char message[256];

    snprintf(message, sizeof(message), "expected %s", expected);
    json_text_member(writer, "errorMessage", message);
}

static void schema_print_pattern(struct json_writer *writer, const struct field_pattern *pattern)
{
    json_text_member(writer, "pattern", pattern->regex);
    schema_print_expected(writer, pattern->expected);
}

static void schema_print_choices(struct json_writer *writer, const struct field *row)
{
    json_key(writer, "enum");
    json_begin_array(writer, JSON_ON_ONE_LINE);
    for (size_t i = 0; row->choice(i); i++)
        json_text(writer, row->choice(i));
    json_end_array(writer);
}

/*
 * A reader of YAML never takes a text with a pattern for a number, but may take another one for a
 * number or a boolean. Booleans are left out, lest editors offer true and false for every text.
 */
static void schema_print_text_rules(struct json_writer *writer, const struct field *row)
{
    if (row->choice) {
        schema_print_choices(writer, row);
        return;
    }
    schema_print_type(writer, row->pattern ? "\"string\"" : "[\"string\", \"number\"]");
    json_number_member(writer, "maxLength", row->max != 0 ? row->max : FIELD_TEXT_MAX);
    if (row->pattern)
        schema_print_pattern(writer, row->pattern);
    else
        json_number_member(writer, "minLength", 1);
}

/* A number with a unit or in quotes is a string; only the loader checks its range. */
static void schema_print_number_pattern(struct json_writer *writer, const struct field *row)
{
    char regex[64], expected[128];

    if (row->type == FIELD_DURATION)
        snprintf(regex, sizeof(regex), "^[0-9]+[smhdw]?$");
    else
        snprintf(regex, sizeof(regex), "^(%s%s[0-9]+%s)$", row->n_words > 0 ? row->words[0] : "",
                 row->n_words > 0 ? "|" : "", row->suffix ? row->suffix : "");
    json_text_member(writer, "pattern", regex);
    field_describe_numbers(row, expected, sizeof(expected));
    schema_print_expected(writer, expected);
}

static void schema_print_number_rules(struct json_writer *writer, const struct field *row)
{
    schema_print_type(writer, row->suffix ? "\"string\"" : "[\"integer\", \"string\"]");
    if (!row->suffix) {
        json_number_member(writer, "minimum", row->min);
        json_number_member(writer, "maximum", row->max);
    }
    schema_print_number_pattern(writer, row);
}

static void schema_print_keys(struct json_writer *writer, const struct fields *fields);

static void schema_print_item_rules(struct json_writer *writer, const struct field *row)
{
    json_key(writer, "items");
    json_begin_object(writer, JSON_ON_LINES);
    if (row->type == FIELD_TEXTS) {
        schema_print_text_rules(writer, row);
    } else if (row->type == FIELD_WORDS) {
        schema_print_words(writer, row);
    } else {
        schema_print_type(writer, "\"object\"");
        schema_print_keys(writer, row->fields);
    }
    json_end_object(writer);
}

static void schema_print_list_rules(struct json_writer *writer, const struct field *row)
{
    schema_print_type(writer, "\"array\"");
    if (row->empty_error)
        json_number_member(writer, "minItems", 1);
    if (row->type == FIELD_TEXTS)
        json_number_member(writer, "maxItems",
                           row->max_items != 0 ? row->max_items : FIELD_LIST_MAX);
    schema_print_item_rules(writer, row);
}

static void schema_print_stream_rules(struct json_writer *writer, const struct field *row)
{
    schema_print_type(writer, row->has_list_form ? "[\"object\", \"array\", \"null\"]"
                                                 : "[\"object\", \"null\"]");
    if (row->has_list_form) {
        json_key(writer, "items");
        json_begin_object(writer, JSON_ON_LINES);
        schema_print_type(writer, "\"string\"");
        json_number_member(writer, "minLength", 1);
        json_end_object(writer);
    }
    if (row->pattern) {
        json_key(writer, "propertyNames");
        json_begin_object(writer, JSON_ON_LINES);
        schema_print_pattern(writer, row->pattern);
        json_end_object(writer);
    }
    json_key(writer, "additionalProperties");
    json_begin_object(writer, JSON_ON_LINES);
    schema_print_type(writer, row->has_short_form ? "[\"object\", \"string\", \"number\", \"null\"]"
                                                  : "\"object\"");
    if (row->has_short_form)
        json_number_member(writer, "minLength", 1);
    schema_print_keys(writer, row->fields);
    json_end_object(writer);
}

static void schema_print_rules(struct json_writer *writer, const struct field *row)
{
    switch (row->type) {
    case FIELD_TEXT:
        schema_print_text_rules(writer, row);
        break;
    case FIELD_NUMBER:
    case FIELD_DURATION:
        schema_print_number_rules(writer, row);
        break;
    case FIELD_WORD:
        schema_print_words(writer, row);
        break;
    case FIELD_SWITCH:
        schema_print_type(writer, "[\"boolean\", \"string\"]");
        json_text_member(writer, "pattern", "^(true|false|on|off)$");
        schema_print_expected(writer, "true or false");
        break;
    case FIELD_TEXTS:
    case FIELD_WORDS:
    case FIELD_GROUPS:
        schema_print_list_rules(writer, row);
        break;
    case FIELD_GROUP:
        schema_print_type(writer, "\"object\"");
        schema_print_keys(writer, row->fields);
        break;
    case FIELD_STREAM:
        schema_print_stream_rules(writer, row);
        break;
    }
}

/* As a reader of YAML takes it: a number or a boolean without quotes. */
static void schema_print_default(struct json_writer *writer, const struct field *row)
{
    bool is_number = row->default_text[strspn(row->default_text, "0123456789")] == '\0';

    json_key(writer, "default");
    if (is_number || row->type == FIELD_SWITCH)
        json_raw(writer, row->default_text);
    else
        json_text(writer, row->default_text);
}

static void schema_print_property(struct json_writer *writer, const struct field *row)
{
    char description[512];

    json_key(writer, row->key);
    json_begin_object(writer, JSON_ON_LINES);
    snprintf(description, sizeof(description), "%s%s%s", row->help,
             row->default_text ? "; default: " : "", row->default_text ? row->default_text : "");
    json_text_member(writer, "description", description);
    schema_print_rules(writer, row);
    if (row->default_text)
        schema_print_default(writer, row);
    json_end_object(writer);
}

static void schema_print_properties(struct json_writer *writer, const struct fields *fields)
{
    if (fields->base)
        schema_print_properties(writer, fields->base);
    for (size_t i = 0; i < fields->n_rows; i++)
        schema_print_property(writer, &fields->rows[i]);
}

static void schema_print_required(struct json_writer *writer, const struct fields *fields)
{
    size_t n_required = 0;

    for (size_t i = 0; i < fields->n_rows; i++) {
        if (!fields->rows[i].is_required)
            continue;
        if (n_required++ == 0) {
            json_key(writer, "required");
            json_begin_array(writer, JSON_ON_ONE_LINE);
        }
        json_text(writer, fields->rows[i].key);
    }
    if (n_required > 0)
        json_end_array(writer);
}

static void schema_print_keys(struct json_writer *writer, const struct fields *fields)
{
    json_key(writer, "additionalProperties");
    json_bool(writer, false);
    schema_print_required(writer, fields);
    json_key(writer, "properties");
    json_begin_object(writer, JSON_ON_LINES);
    schema_print_properties(writer, fields);
    json_end_object(writer);
}

void json_schema_print(const struct fields *fields, FILE *out)
{
    struct json_writer writer = {.out = out, .indent = 2};

    json_begin_object(&writer, JSON_ON_LINES);
    json_text_member(&writer, "$schema", "http://json-schema.org/draft-07/schema#");
    schema_print_type(&writer, "\"object\"");
    schema_print_keys(&writer, fields);
    json_end_object(&writer);
    fputc('\n', out);
}
