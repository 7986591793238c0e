/* SPDX-License-Identifier: MIT */
#include "lib/yaml/json_schema.h"

#include <string.h>

#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/yaml/decode.h"

/* Nested objects, a member a line. */
struct output {
    FILE *out;
    int depth;
    bool has_members; /* the object at hand */
};

static void begin_line(const struct output *output)
{
    fprintf(output->out, "\n%*s", 2 * output->depth, "");
}

static void begin_object(struct output *output)
{
    fputc('{', output->out);
    output->depth++;
    output->has_members = false;
}

static void end_object(struct output *output)
{
    output->depth--;
    if (output->has_members)
        begin_line(output);
    fputc('}', output->out);
    output->has_members = true;
}

/* Prints the name of a member, whose value is to follow. */
static void begin_member(struct output *output, const char *name)
{
    if (output->has_members)
        fputc(',', output->out);
    begin_line(output);
    json_print_text(name, output->out);
    fputs(": ", output->out);
    output->has_members = true;
}

static void print_text(struct output *output, const char *name, const char *text)
{
    begin_member(output, name);
    json_print_text(text, output->out);
}

static void print_number(struct output *output, const char *name, uint32_t number)
{
    begin_member(output, name);
    fprintf(output->out, "%u", number);
}

/* A member whose value needs no escapes. */
static void print_raw(struct output *output, const char *name, const char *json)
{
    begin_member(output, name);
    fputs(json, output->out);
}

/* An item of a list of texts, behind n others; a bracket is to follow the last. */
static void print_word(struct output *output, size_t n, const char *word)
{
    fputs(n == 0 ? "[" : ", ", output->out);
    json_print_text(word, output->out);
}

static void print_words(struct output *output, const struct field *row)
{
    begin_member(output, "enum");
    for (size_t i = 0; i < row->n_words; i++)
        print_word(output, i, row->words[i]);
    fputc(']', output->out);
}

static void print_expected(struct output *output, const char *expected)
{
    char message[256];

    snprintf(message, sizeof(message), "expected %s", expected);
    print_text(output, "errorMessage", message);
}

static void print_pattern(struct output *output, const struct field_pattern *pattern)
{
    print_text(output, "pattern", pattern->regex);
    print_expected(output, pattern->expected);
}

static void print_choices(struct output *output, const struct field *row)
{
    begin_member(output, "enum");
    for (size_t i = 0; row->choice(i); i++)
        print_word(output, i, row->choice(i));
    fputc(']', output->out);
}

/*
 * A reader of YAML never takes a text with a pattern for a number, but may take another one for a
 * number or a boolean. Booleans are left out, lest editors offer true and false for every text.
 */
static void print_text_rules(struct output *output, const struct field *row)
{
    if (row->choice) {
        print_choices(output, row);
        return;
    }
    print_raw(output, "type", row->pattern ? "\"string\"" : "[\"string\", \"number\"]");
    print_number(output, "maxLength", row->max != 0 ? row->max : FIELD_TEXT_MAX);
    if (row->pattern)
        print_pattern(output, row->pattern);
    else
        print_number(output, "minLength", 1);
}

/* A number with a unit or in quotes is a text; only the loader checks its range. */
static void print_number_pattern(struct output *output, const struct field *row)
{
    char regex[64], expected[128];

    if (row->type == FIELD_DURATION)
        snprintf(regex, sizeof(regex), "^[0-9]+[smhdw]?$");
    else
        snprintf(regex, sizeof(regex), "^(%s%s[0-9]+%s)$", row->n_words > 0 ? row->words[0] : "",
                 row->n_words > 0 ? "|" : "", row->suffix ? row->suffix : "");
    print_text(output, "pattern", regex);
    field_describe_numbers(row, expected, sizeof(expected));
    print_expected(output, expected);
}

static void print_number_rules(struct output *output, const struct field *row)
{
    print_raw(output, "type", row->suffix ? "\"string\"" : "[\"integer\", \"string\"]");
    if (!row->suffix) {
        print_number(output, "minimum", row->min);
        print_number(output, "maximum", row->max);
    }
    print_number_pattern(output, row);
}

static void print_keys(struct output *output, const struct fields *fields);

static void print_item_rules(struct output *output, const struct field *row)
{
    begin_member(output, "items");
    begin_object(output);
    if (row->type == FIELD_TEXTS) {
        print_text_rules(output, row);
    } else if (row->type == FIELD_WORDS) {
        print_words(output, row);
    } else {
        print_raw(output, "type", "\"object\"");
        print_keys(output, row->fields);
    }
    end_object(output);
}

static void print_list_rules(struct output *output, const struct field *row)
{
    print_raw(output, "type", "\"array\"");
    if (row->empty_error)
        print_number(output, "minItems", 1);
    if (row->type == FIELD_TEXTS)
        print_number(output, "maxItems", row->max_items != 0 ? row->max_items : FIELD_LIST_MAX);
    print_item_rules(output, row);
}

static void print_stream_rules(struct output *output, const struct field *row)
{
    print_raw(output, "type", "\"object\"");
    if (row->pattern) {
        begin_member(output, "propertyNames");
        begin_object(output);
        print_pattern(output, row->pattern);
        end_object(output);
    }
    begin_member(output, "additionalProperties");
    begin_object(output);
    print_raw(output, "type",
              row->has_short_form ? "[\"object\", \"string\", \"number\"]" : "\"object\"");
    if (row->has_short_form)
        print_number(output, "minLength", 1);
    print_keys(output, row->fields);
    end_object(output);
}

static void print_rules(struct output *output, const struct field *row)
{
    switch (row->type) {
    case FIELD_TEXT:
        print_text_rules(output, row);
        break;
    case FIELD_NUMBER:
    case FIELD_DURATION:
        print_number_rules(output, row);
        break;
    case FIELD_WORD:
        print_words(output, row);
        break;
    case FIELD_SWITCH:
        print_raw(output, "type", "[\"boolean\", \"string\"]");
        print_raw(output, "pattern", "\"^(true|false)$\"");
        print_expected(output, "true or false");
        break;
    case FIELD_TEXTS:
    case FIELD_WORDS:
    case FIELD_GROUPS:
        print_list_rules(output, row);
        break;
    case FIELD_GROUP:
        print_raw(output, "type", "\"object\"");
        print_keys(output, row->fields);
        break;
    case FIELD_STREAM:
        print_stream_rules(output, row);
        break;
    }
}

/* As a reader of YAML takes it: a number or a boolean without quotes. */
static void print_default(struct output *output, const struct field *row)
{
    bool is_number = row->default_text[strspn(row->default_text, "0123456789")] == '\0';

    if (is_number || row->type == FIELD_SWITCH)
        print_raw(output, "default", row->default_text);
    else
        print_text(output, "default", row->default_text);
}

static void print_property(struct output *output, const struct field *row)
{
    char description[512];

    begin_member(output, row->key);
    begin_object(output);
    snprintf(description, sizeof(description), "%s%s%s%s", row->help,
             row->default_text ? "; default: " : "", row->default_text ? row->default_text : "",
             row->is_unimplemented ? "; this version does not act on it yet" : "");
    print_text(output, "description", description);
    print_rules(output, row);
    if (row->default_text)
        print_default(output, row);
    end_object(output);
}

static void print_properties(struct output *output, const struct fields *fields)
{
    if (fields->base)
        print_properties(output, fields->base);
    for (size_t i = 0; i < fields->n_rows; i++)
        print_property(output, &fields->rows[i]);
}

static void print_required(struct output *output, const struct fields *fields)
{
    size_t n = 0;

    for (size_t i = 0; i < fields->n_rows; i++) {
        if (!fields->rows[i].is_required)
            continue;
        if (n == 0)
            begin_member(output, "required");
        print_word(output, n++, fields->rows[i].key);
    }
    if (n > 0)
        fputc(']', output->out);
}

static void print_keys(struct output *output, const struct fields *fields)
{
    print_raw(output, "additionalProperties", "false");
    print_required(output, fields);
    begin_member(output, "properties");
    begin_object(output);
    print_properties(output, fields);
    end_object(output);
}

void json_schema_print(const struct fields *fields, FILE *out)
{
    struct output output = {.out = out};

    begin_object(&output);
    print_text(&output, "$schema", "http://json-schema.org/draft-07/schema#");
    print_raw(&output, "type", "\"object\"");
    print_keys(&output, fields);
    end_object(&output);
    fputc('\n', out);
}
