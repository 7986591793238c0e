/* SPDX-License-Identifier: MIT */
#include "lib/yaml/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/yaml/decode.h"

static const char *const words[] = {"red", "\"green\""};

static const char *colour(size_t nth)
{
    return nth < ARRAY_LEN(words) ? words[nth] : NULL;
}

static const struct field_pattern pattern = {.regex = "^\\*$", .expected = "a star"};

static const struct field empty_rows[] = {{0}};
static const struct fields empty = {.rows = empty_rows, .n_rows = 0};

static const struct field item_rows[] = {
    {.key = "a", .type = FIELD_TEXT, .help = "A", .is_required = true},
    {.key = "b", .type = FIELD_TEXT, .help = "B"},
    {.key = "c", .type = FIELD_TEXT, .help = "C", .is_required = true},
};
static const struct field more_rows[] = {{.key = "d", .type = FIELD_TEXT, .help = "D"}};
static const struct fields item = {.rows = item_rows, .n_rows = ARRAY_LEN(item_rows)};
static const struct fields more = {.rows = more_rows, .n_rows = 1, .base = &item};

/* The only key of a mapping, and its rules. */
static const struct {
    struct field row;
    const char *want;
} cases[] = {
    {{.type = FIELD_TEXT, .help = "a \"text\""},
     "{'description': 'a \\\"text\\\"', 'type': ['string', 'number'], 'minLength': 1,"
     " 'maxLength': 4096}"},
    {{.type = FIELD_TEXT, .help = "", .default_text = "on", .max = 9},
     "{'description': '; default: on', 'default': 'on',"
     " 'type': ['string', 'number'], 'minLength': 1, 'maxLength': 9}"},
    {{.type = FIELD_TEXT, .help = "", .pattern = &pattern},
     "{'description': '', 'type': 'string', 'maxLength': 4096, 'pattern': '^\\\\*$',"
     " 'errorMessage': 'expected a star'}"},
    {{.type = FIELD_TEXTS, .help = "", .max = 8, .max_items = 3},
     "{'description': '', 'type': 'array', 'maxItems': 3,"
     " 'items': {'type': ['string', 'number'], 'minLength': 1, 'maxLength': 8}}"},
    {{.type = FIELD_TEXTS, .help = "", .choice = colour, .empty_error = "; a colour is needed"},
     "{'description': '', 'type': 'array', 'minItems': 1, 'maxItems': 1024,"
     " 'items': {'enum': ['red', '\\\"green\\\"']}}"},
    {{.type = FIELD_NUMBER, .help = "", .min = 1, .max = 9, .default_text = "3"},
     "{'description': '; default: 3', 'type': ['integer', 'string'], 'minimum': 1, 'maximum': 9,"
     " 'pattern': '^([0-9]+)$', 'default': 3,"
     " 'errorMessage': 'expected a number between 1 and 9'}"},
    {{.type = FIELD_NUMBER,
      .help = "",
      .max = 9,
      .words = words,
      .n_words = 1,
      .default_text = "red"},
     "{'description': '; default: red', 'type': ['integer', 'string'], 'minimum': 0, 'maximum': 9,"
     " 'pattern': '^(red|[0-9]+)$', 'default': 'red',"
     " 'errorMessage': 'expected a number between 0 and 9, or red'}"},
    {{.type = FIELD_NUMBER, .help = "", .max = 10, .suffix = "%", .default_text = "5%"},
     "{'description': '; default: 5%', 'type': 'string', 'pattern': '^([0-9]+%)$',"
     " 'default': '5%', 'errorMessage': 'expected a number between 0% and 10%'}"},
    {{.type = FIELD_DURATION, .help = "", .max = 60, .default_text = "1m"},
     "{'description': '; default: 1m', 'type': ['integer', 'string'], 'minimum': 0, 'maximum': 60,"
     " 'pattern': '^[0-9]+[smhdw]?$',"
     " 'default': '1m', 'errorMessage': 'expected a duration between 0 and 60 s, as in 3600,"
     " 90m, 12h, 3d or 2w'}"},
    {{.type = FIELD_WORD, .help = "", .words = words, .n_words = 2, .default_text = "red"},
     "{'description': '; default: red', 'enum': ['red', '\\\"green\\\"'], 'default': 'red'}"},
    {{.type = FIELD_WORDS, .help = "", .words = words, .n_words = 2},
     "{'description': '', 'type': 'array', 'items': {'enum': ['red', '\\\"green\\\"']}}"},
    {{.type = FIELD_SWITCH, .help = "", .default_text = "false"},
     "{'description': '; default: false', 'type': ['boolean', 'string'], 'default': false,"
     " 'pattern': '^(true|false|on|off)$', 'errorMessage': 'expected true or false'}"},
    {{.type = FIELD_GROUP, .help = "", .fields = &empty},
     "{'description': '', 'type': 'object', 'additionalProperties': false, 'properties': {}}"},
    {{.type = FIELD_GROUPS, .help = "", .fields = &empty, .empty_error = "!"},
     "{'description': '', 'type': 'array', 'minItems': 1, 'items':"
     " {'type': 'object', 'additionalProperties': false, 'properties': {}}}"},
    {{.type = FIELD_STREAM, .help = "", .fields = &empty},
     "{'description': '', 'type': ['object', 'null'], 'additionalProperties':"
     " {'type': 'object', 'additionalProperties': false, 'properties': {}}}"},
    {{.type = FIELD_STREAM, .help = "", .fields = &empty, .pattern = &pattern},
     "{'description': '', 'type': ['object', 'null'],"
     " 'propertyNames': {'pattern': '^\\\\*$', 'errorMessage': 'expected a star'},"
     " 'additionalProperties':"
     " {'type': 'object', 'additionalProperties': false, 'properties': {}}}"},
    {{.type = FIELD_STREAM,
      .help = "",
      .fields = &empty,
      .pattern = &pattern,
      .has_short_form = true},
     "{'description': '', 'type': ['object', 'null'],"
     " 'propertyNames': {'pattern': '^\\\\*$', 'errorMessage': 'expected a star'},"
     " 'additionalProperties': {'type': ['object', 'string', 'number', 'null'], 'minLength': 1,"
     " 'additionalProperties': false, 'properties': {}}}"},
};

static json_t *parse(const char *text, size_t flags)
{
    json_error_t error;
    json_t *json = json_loads(text, flags, &error);

    if (!json)
        fail_msg("%s: %s", error.text, text);
    return json;
}

/* With ' for ". */
static json_t *parse_quoted(const char *text)
{
    char *copy = strdup(text);
    json_t *json;

    for (char *at = copy; (at = strchr(at, '\'')); at++)
        *at = '"';
    json = parse(copy, 0);
    free(copy);
    return json;
}

static json_t *schema_of(const struct fields *fields)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    json_t *json;

    json_schema_print(fields, out);
    fclose(out);
    json = parse(text, JSON_REJECT_DUPLICATES);
    free(text);
    return json;
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct field row = cases[i].row;
        const struct fields fields = {.rows = &row, .n_rows = 1};
        json_t *want = parse_quoted(cases[i].want), *schema, *seen;

        row.key = "k";
        schema = schema_of(&fields);
        seen = json_object_get(json_object_get(schema, "properties"), "k");
        if (!json_equal(want, seen)) {
            char *text = json_dumps(seen, 0);

            print_error("row %zu: wanted %s\nsaw %s\n", i, cases[i].want, text);
            free(text);
            fail();
        }
        json_decref(want);
        json_decref(schema);
    }
}

static void expect_mapping(const struct fields *fields, const char *want)
{
    json_t *schema = schema_of(fields), *seen = json_object();
    json_t *wanted = parse_quoted(want);
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(schema, "properties"), key, value)
        json_object_set_new(seen, key, json_incref(json_object_get(value, "description")));
    json_object_set(schema, "properties", seen);
    if (!json_equal(schema, wanted))
        fail_msg("wanted %s", want);
    json_decref(seen);
    json_decref(schema);
    json_decref(wanted);
}

/* Its own keys behind its base's. As in field_decode(), a base needs none of its keys. */
static void test_mapping(void **state)
{
    (void)state;
    expect_mapping(&item, "{'$schema': 'http://json-schema.org/draft-07/schema#',"
                          " 'type': 'object', 'additionalProperties': false,"
                          " 'required': ['a', 'c'],"
                          " 'properties': {'a': 'A', 'b': 'B', 'c': 'C'}}");
    expect_mapping(&more, "{'$schema': 'http://json-schema.org/draft-07/schema#',"
                          " 'type': 'object', 'additionalProperties': false,"
                          " 'properties': {'a': 'A', 'b': 'B', 'c': 'C', 'd': 'D'}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_mapping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
