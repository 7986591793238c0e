/* SPDX-License-Identifier: MIT */
#include "lib/yaml/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/yaml/reader.h"
#include "support/fixture.h"

struct item {
    struct field_text name;
    struct field_number size;
};

struct base {
    struct field_text text;
    struct field_texts texts;
};

struct object {
    struct base base;
    struct field_number number, percent, workers, duration, limited, word, words, on;
    struct item group;
    struct field_groups groups;
    struct {
        struct field_number number, word, percent;
        struct field_text text;
        struct field_texts filled;
    } preset;
};

static const char *const colours[] = {"red", "green", "blue"};
static const char *const automatic[] = {"auto"};

static const struct field item_rows[] = {
    {.key = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct item, name),
     .is_required = true,
     .help = "what it is called"},
    {.key = "size", .type = FIELD_NUMBER, .offset = offsetof(struct item, size), .max = 9},
};
static const struct fields item_fields = {.rows = item_rows, .n_rows = ARRAY_LEN(item_rows)};

static const struct field base_rows[] = {
    {.key = "text", .type = FIELD_TEXT, .offset = offsetof(struct base, text), .max = 4},
    {.key = "texts", .type = FIELD_TEXTS, .offset = offsetof(struct base, texts), .max_items = 3},
};
static const struct field_stranger base_strangers[] = {{"tint", "write word"}};
static const struct fields base_fields = {.rows = base_rows,
                                          .n_rows = ARRAY_LEN(base_rows),
                                          .strangers = base_strangers,
                                          .n_strangers = ARRAY_LEN(base_strangers)};

static const struct field preset_rows[] = {
    {.key = "number",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct object, preset.number),
     .max = 9,
     .default_text = "7"},
    {.key = "word",
     .type = FIELD_WORD,
     .offset = offsetof(struct object, preset.word),
     .words = colours,
     .n_words = ARRAY_LEN(colours),
     .default_text = "blue"},
    {.key = "percent",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct object, preset.percent),
     .max = 100,
     .suffix = "%",
     .default_text = "5%"},
    {.key = "text",
     .type = FIELD_TEXT,
     .offset = offsetof(struct object, preset.text),
     .default_text = "some"},
    {.key = "filled",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct object, preset.filled),
     .empty_error = "; fill it"},
};
static const struct fields preset_fields = {.rows = preset_rows, .n_rows = ARRAY_LEN(preset_rows)};

static const struct field rows[] = {
    {.key = "number",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct object, number),
     .min = 1,
     .max = 10},
    {.key = "percent",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct object, percent),
     .max = 100,
     .suffix = "%"},
    {.key = "workers",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct object, workers),
     .min = 1,
     .max = UINT32_MAX,
     .words = automatic,
     .n_words = ARRAY_LEN(automatic)},
    {.key = "duration",
     .type = FIELD_DURATION,
     .offset = offsetof(struct object, duration),
     .max = UINT32_MAX},
    {.key = "limited",
     .type = FIELD_DURATION,
     .offset = offsetof(struct object, limited),
     .min = 60,
     .max = 3600,
     .finding = FINDING_MAX_AGE_LIMIT},
    {.key = "word",
     .type = FIELD_WORD,
     .offset = offsetof(struct object, word),
     .words = colours,
     .n_words = ARRAY_LEN(colours)},
    {.key = "words",
     .type = FIELD_WORDS,
     .offset = offsetof(struct object, words),
     .words = colours,
     .n_words = ARRAY_LEN(colours)},
    {.key = "on", .type = FIELD_SWITCH, .offset = offsetof(struct object, on)},
    {.key = "group",
     .type = FIELD_GROUP,
     .offset = offsetof(struct object, group),
     .fields = &item_fields},
    {.key = "groups",
     .type = FIELD_GROUPS,
     .offset = offsetof(struct object, groups),
     .fields = &item_fields,
     .size = sizeof(struct item),
     .empty_error = ", and so is the group"},
    {.key = "stream", .type = FIELD_STREAM},
    {.key = "preset", .type = FIELD_GROUP, .fields = &preset_fields},
};
static const struct fields fields = {.rows = rows, .n_rows = ARRAY_LEN(rows), .base = &base_fields};

/* One mapping decoded: {yaml}. */
struct decoded {
    struct arena *arena;
    struct diag *diag;
    struct object object;
    char *findings;
};

static void decode(struct decoded *decoded, struct slice yaml)
{
    struct field_context context = {0};
    struct yaml_reader *reader;
    struct yaml_node *key;

    *decoded = (struct decoded){.arena = arena_new(0), .diag = diag_new(&config_findings)};
    context.diag = decoded->diag;
    context.arena = decoded->arena;
    reader = yaml_reader_new("f", yaml, decoded->diag);
    assert_int_equal(yaml_reader_enter(reader, NULL), 0);
    assert_int_equal(yaml_reader_next(reader, decoded->arena, &key), 1);
    field_decode(&context, &fields, yaml_reader_value(reader, decoded->arena), &decoded->object);
    yaml_reader_free(reader);
    assert_int_equal(context.path.len, 0);
    decoded->findings = fixture_findings(decoded->diag, "-unused-", "");
}

static void decoded_done(struct decoded *decoded)
{
    free(decoded->findings);
    diag_free(decoded->diag);
    arena_free(decoded->arena);
}

static void decode_pair(struct decoded *decoded, const char *pair)
{
    char yaml[8192];
    int len = snprintf(yaml, sizeof(yaml), "x: {%s}", pair);

    decode(decoded, (struct slice){yaml, (size_t)len});
}

#define NOT_GIVEN (-1)

static void test_numbers(void **state)
{
    static const struct {
        const char *pair;
        size_t offset;
        int64_t want; /* NOT_GIVEN: an error of the kind `finding` */
        enum finding finding;
    } cases[] = {
        {"number: 0", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: 1", offsetof(struct object, number), 1, FINDING_NONE},
        {"number: 10", offsetof(struct object, number), 10, FINDING_NONE},
        {"number: 11", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: '007'", offsetof(struct object, number), 7, FINDING_NONE},
        {"number: +1", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: -1", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: 0x1", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: 1.0", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: ' 1'", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: \"1\\0\"", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: 1s", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: auto", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: 4294967297", offsetof(struct object, number), NOT_GIVEN, FINDING_BAD_VALUE},
        {"number: []", offsetof(struct object, number), NOT_GIVEN, FINDING_WRONG_TYPE},
        {"number: ''", offsetof(struct object, number), NOT_GIVEN, FINDING_WRONG_TYPE},
        {"percent: 0%", offsetof(struct object, percent), 0, FINDING_NONE},
        {"percent: 100%", offsetof(struct object, percent), 100, FINDING_NONE},
        {"percent: 101%", offsetof(struct object, percent), NOT_GIVEN, FINDING_BAD_VALUE},
        {"percent: 5", offsetof(struct object, percent), NOT_GIVEN, FINDING_BAD_VALUE},
        {"percent: '%'", offsetof(struct object, percent), NOT_GIVEN, FINDING_BAD_VALUE},
        {"workers: auto", offsetof(struct object, workers), 0, FINDING_NONE},
        {"workers: Auto", offsetof(struct object, workers), NOT_GIVEN, FINDING_BAD_VALUE},
        {"workers: 0", offsetof(struct object, workers), NOT_GIVEN, FINDING_BAD_VALUE},
        {"workers: 4294967295", offsetof(struct object, workers), UINT32_MAX, FINDING_NONE},
        {"workers: 4294967296", offsetof(struct object, workers), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 0", offsetof(struct object, duration), 0, FINDING_NONE},
        {"duration: 1s", offsetof(struct object, duration), 1, FINDING_NONE},
        {"duration: 1m", offsetof(struct object, duration), 60, FINDING_NONE},
        {"duration: 1h", offsetof(struct object, duration), 3600, FINDING_NONE},
        {"duration: 1d", offsetof(struct object, duration), 86400, FINDING_NONE},
        {"duration: 1w", offsetof(struct object, duration), 604800, FINDING_NONE},
        {"duration: 7101w", offsetof(struct object, duration), 7101 * INT64_C(604800),
         FINDING_NONE},
        {"duration: 7102w", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 30500568904943w", offsetof(struct object, duration), NOT_GIVEN,
         FINDING_BAD_VALUE}, /* 2^64 seconds and some */
        {"duration: 18446744073709551616", offsetof(struct object, duration), NOT_GIVEN,
         FINDING_BAD_VALUE},
        {"duration: w", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 1W", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 1y", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 1 d", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"duration: 1d12h", offsetof(struct object, duration), NOT_GIVEN, FINDING_BAD_VALUE},
        {"limited: 59", offsetof(struct object, limited), NOT_GIVEN, FINDING_MAX_AGE_LIMIT},
        {"limited: 1m", offsetof(struct object, limited), 60, FINDING_NONE},
        {"limited: 1h", offsetof(struct object, limited), 3600, FINDING_NONE},
        {"limited: 3601s", offsetof(struct object, limited), NOT_GIVEN, FINDING_MAX_AGE_LIMIT},
        {"limited: long", offsetof(struct object, limited), NOT_GIVEN, FINDING_BAD_VALUE},
        {"word: red", offsetof(struct object, word), 0, FINDING_NONE},
        {"word: blue", offsetof(struct object, word), 2, FINDING_NONE},
        {"word: Blue", offsetof(struct object, word), NOT_GIVEN, FINDING_BAD_VALUE},
        {"word: \"red\\0\"", offsetof(struct object, word), NOT_GIVEN, FINDING_BAD_VALUE},
        {"word: ''", offsetof(struct object, word), NOT_GIVEN, FINDING_WRONG_TYPE},
        {"word: {}", offsetof(struct object, word), NOT_GIVEN, FINDING_WRONG_TYPE},
        {"words: []", offsetof(struct object, words), 0, FINDING_NONE},
        {"words: [red]", offsetof(struct object, words), 1, FINDING_NONE},
        {"words: [blue, red, blue]", offsetof(struct object, words), 5, FINDING_NONE},
        {"on: true", offsetof(struct object, on), 1, FINDING_NONE},
        {"on: false", offsetof(struct object, on), 0, FINDING_NONE},
        {"on: on", offsetof(struct object, on), 1, FINDING_NONE},
        {"on: off", offsetof(struct object, on), 0, FINDING_NONE},
        {"on: yes", offsetof(struct object, on), NOT_GIVEN, FINDING_BAD_VALUE},
        {"on: True", offsetof(struct object, on), NOT_GIVEN, FINDING_BAD_VALUE},
        {"on: 1", offsetof(struct object, on), NOT_GIVEN, FINDING_BAD_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct field_number *number;
        struct decoded decoded;
        int64_t seen;

        decode_pair(&decoded, cases[i].pair);
        number = (const void *)((const char *)&decoded.object + cases[i].offset);
        seen = number->place.line == 0 ? NOT_GIVEN : (int64_t)number->value;
        if (seen != cases[i].want || diag_count(decoded.diag, LEVEL_ERROR) != (seen == NOT_GIVEN) ||
            (seen == NOT_GIVEN && !diag_has(decoded.diag, cases[i].finding)))
            fail_msg("row %zu (%s): wanted %lld, saw %lld\n%s", i, cases[i].pair,
                     (long long)cases[i].want, (long long)seen, decoded.findings);
        decoded_done(&decoded);
    }
}

static void test_texts(void **state)
{
    struct decoded decoded;

    (void)state;
    decode_pair(&decoded, "text: abcd, texts: [a, '', \"b\\0\", c]");
    assert_string_equal(decoded.object.base.text.text.ptr, "abcd");
    assert_true(decoded.object.base.text.place.line == 1);
    assert_true(decoded.object.base.text.place.column == 11);
    assert_int_equal(decoded.object.base.texts.n_items, 0); /* four, and three are allowed */
    decoded_done(&decoded);

    /* A bad item keeps its place, and its index counts for those after it. */
    decode_pair(&decoded, "text: abcde, texts: [a, '', c]");
    assert_int_equal(decoded.object.base.text.text.len, 0);
    assert_int_equal(decoded.object.base.text.place.line, 1);
    assert_int_equal(decoded.object.base.texts.n_items, 3);
    assert_string_equal(decoded.object.base.texts.items[0].text.ptr, "a");
    assert_string_equal(decoded.object.base.texts.items[1].text.ptr, "");
    assert_int_equal(decoded.object.base.texts.items[1].place.column, 29);
    assert_string_equal(decoded.object.base.texts.items[2].text.ptr, "c");
    decoded_done(&decoded);
}

/* Without limits of their own, texts have 4096 bytes and lists 1024 items. */
static void test_general_limits(void **state)
{
    static const struct field row = {.key = "texts", .type = FIELD_TEXTS};
    struct yaml_node items[FIELD_LIST_MAX + 1] = {0};
    struct yaml_node list = {.kind = YAML_KIND_LIST, .first = items, .place = {"f", 1, 1}};
    char *text = memory_alloc(FIELD_TEXT_MAX + 2);

    (void)state;
    memset(text, 'x', FIELD_TEXT_MAX + 1);
    for (size_t more = 0; more < 4; more++) {
        struct field_context context = {.diag = diag_new(&config_findings), .arena = arena_new(0)};
        size_t n_items = FIELD_LIST_MAX + (more >> 1), len = FIELD_TEXT_MAX + (more & 1);
        struct field_texts texts = {0};

        for (size_t i = 0; i < n_items; i++)
            items[i] = (struct yaml_node){.kind = YAML_KIND_TEXT,
                                          .place = {"f", 1, 1},
                                          .text = {text, i == 0 ? len : 1},
                                          .next = i + 1 < n_items ? &items[i + 1] : NULL};
        field_decode_value(&context, &row, &list, &texts);
        assert_int_equal(texts.n_items, more >> 1 ? 0 : n_items);
        assert_int_equal(diag_count(context.diag, LEVEL_ERROR), more != 0);
        assert_int_equal(diag_has(context.diag, FINDING_TOO_LARGE), more >> 1);
        diag_free(context.diag);
        arena_free(context.arena);
    }
    free(text);
}

static void test_groups(void **state)
{
    struct decoded decoded;
    const struct item *items;

    (void)state;
    decode_pair(&decoded,
                "group: {name: a, size: 9}, groups: [{name: b}, c, {size: 1}, {name: d, size: 2}]");
    assert_string_equal(decoded.object.group.name.text.ptr, "a");
    assert_int_equal(decoded.object.group.size.value, 9);
    assert_int_equal(decoded.object.groups.n_items, 4);
    items = decoded.object.groups.items;
    assert_string_equal(items[0].name.text.ptr, "b");
    assert_int_equal(items[0].size.place.line, 0);
    assert_int_equal(items[1].name.place.line, 0);
    assert_int_equal(items[2].size.value, 1);
    assert_string_equal(items[3].name.text.ptr, "d");
    assert_string_equal(decoded.findings,
                        "f:1:52: error: groups[1]: expected a mapping, as in {name: ...}, found "
                        "'c' [wrong-type]\nf:1:55: error: groups[2]: the key 'name' is needed: "
                        "what it is called [missing-key]\n");
    decoded_done(&decoded);
}

static void test_findings(void **state)
{
    static const struct {
        const char *pair, *want;
    } cases[] = {
        {"", ""},
        {"stream: {a: b}", ""}, /* the caller's */
        {"text: [a]", "f:1:11: error: text: expected a string, found a list; put a string with "
                      "brackets, braces or a final colon in quotes [wrong-type]\n"},
        {"text: ", "f:1:11: error: text: expected a string, found nothing [wrong-type]\n"},
        {"text: abcde",
         "f:1:11: error: text: found a string of 5 bytes; at most 4 are allowed [bad-value]\n"},
        {"text: \"a\\0\"",
         "f:1:11: error: text: found a string with a NUL in it, which no string here "
         "has [bad-value]\n"},
        {"texts: a", "f:1:12: error: texts: expected a list, as in [one, two], found 'a'; put it "
                     "in brackets: ['a'] [wrong-type]\n"},
        {"texts: true", "f:1:12: error: texts: expected a list, as in [one, two], found 'true' "
                        "[wrong-type]\n"},
        {"texts: [MailTo: a@b.example]",
         "f:1:13: error: texts[0]: expected a string, found a mapping; remove the space after "
         "mailto: [wrong-type]\n"},
        {"texts: [https: //a.example/]",
         "f:1:13: error: texts[0]: expected a string, found a mapping; remove the space after "
         "https: [wrong-type]\n"},
        {"texts: a b",
         "f:1:12: error: texts: expected a list, as in [one, two], found 'a b'; write "
         "each as an item of the list [wrong-type]\n"},
        {"texts: null", "f:1:12: error: texts: expected a list, as in [one, two], found 'null' "
                        "[wrong-type]\n"},
        {"texts: [[a]]",
         "f:1:13: error: texts[0]: expected a string, found a list; leave one pair of "
         "brackets out [wrong-type]\n"},
        {"word: gre",
         "f:1:11: error: word: 'gre' is not one of red, green, blue; did you mean 'green'? "
         "[bad-value]\n"},
        {"word: blu", "f:1:11: error: word: 'blu' is not one of red, green, blue; did you mean "
                      "'blue'? [bad-value]\n"},
        {"texts: {a: b}",
         "f:1:12: error: texts: expected a list, as in [one, two], found a mapping [wrong-type]\n"},
        {"texts: [a, b, c, d]",
         "f:1:12: error: texts: found a list of 4; at most 3 are allowed [too-large]\n"},
        {"number: x", "f:1:13: error: number: 'x' is not a number between 1 and 10 [bad-value]\n"},
        {"percent: 5",
         "f:1:14: error: percent: '5' is not a number between 0% and 100% [bad-value]\n"},
        {"workers: x", "f:1:14: error: workers: 'x' is not a number between 1 and 4294967295, or "
                       "auto [bad-value]\n"},
        {"limited: 1d", "f:1:14: error: limited: '1d' is not a duration between 60 and 3600 s, as "
                        "in 3600, 90m, 12h, 3d or 2w [max-age-limit]\n"},
        {"limited: {}", "f:1:14: error: limited: expected a duration between 60 and 3600 s, as in "
                        "3600, 90m, 12h, 3d or 2w, found a mapping [wrong-type]\n"},
        {"word: grene", "f:1:11: error: word: 'grene' is not one of red, green, blue; did you mean "
                        "'green'? [bad-value]\n"},
        {"word: black",
         "f:1:11: error: word: 'black' is not one of red, green, blue [bad-value]\n"},
        {"words: red", "f:1:12: error: words: expected a list of one or more of red, green, blue, "
                       "found 'red'; put it in brackets: ['red'] [wrong-type]\n"},
        {"words: true", "f:1:12: error: words: expected a list of one or more of red, green, "
                        "blue, found 'true' [wrong-type]\n"},
        {"Tint: red", "f:1:5: error: 'Tint' is not a key here; write word [unknown-key]\n"},
        {"words: [red, gren]", "f:1:18: error: words[1]: 'gren' is not one of red, green, blue; "
                               "did you mean 'green'? [bad-value]\n"},
        {"group: x",
         "f:1:12: error: group: expected a mapping, as in {name: ...}, found 'x' [wrong-type]\n"},
        {"group: {}", "f:1:12: error: group: the key 'name' is needed: what it is called "
                      "[missing-key]\n"},
        {"group: {name: [a]}",
         "f:1:19: error: group.name: expected a string, found a list; put a string with brackets, "
         "braces or a final colon in quotes [wrong-type]\n"},
        {"groups: {name: a}", "f:1:13: error: groups: expected a list of mappings, as in [{name: "
                              "...}], found a mapping [wrong-type]\n"},
        {"groups: []",
         "f:1:13: error: groups: the list is empty, and so is the group [missing-key]\n"},
        {"texts: []", ""},
        {"preset: {filled: []}",
         "f:1:22: error: preset.filled: the list is empty; fill it [missing-key]\n"},
        {"groups: [{name: a, siez: 1}]",
         "f:1:24: error: groups[0]: 'siez' is not a key; did you mean 'size'? [unknown-key]\n"},
        {"number: 1, number: 2",
         "f:1:16: error: number: the key is given twice in one mapping; keep one of them "
         "[duplicate-key]\n"},
        {"text: a, txet: b",
         "f:1:14: error: 'txet' is not a key; did you mean 'text'? [unknown-key]\n"},
        {"colour: red",
         "f:1:5: error: 'colour' is not a key; the keys here are text, texts, number, percent, "
         "workers, duration, limited, word, words, on, group, groups, stream, preset "
         "[unknown-key]\n"},
        {"text: *a",
         "f:1:11: error: the alias '*a' is not supported; what several domains share is a "
         "policy under policies:, and put a string that begins with * in quotes "
         "[yaml-feature]\n"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoded decoded;

        decode_pair(&decoded, cases[i].pair);
        n_failed += !fixture_equal(cases[i].pair, cases[i].want, decoded.findings);
        decoded_done(&decoded);
    }
    assert_int_equal(n_failed, 0);
}

/* A default is there unless a good value is, with no place. */
static void test_defaults(void **state)
{
    static const struct {
        const char *pair;
        uint32_t number, word, percent;
        const char *text;
    } cases[] = {
        {"", 7, 2, 5, "some"},
        {"preset: {}", 7, 2, 5, "some"},
        {"preset: {number: 0, percent: 6%}", 0, 2, 6, "some"},
        {"preset: {word: red, text: other}", 7, 0, 5, "other"},
        {"preset: {number: 10, word: []}", 7, 2, 5, "some"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoded decoded;

        decode_pair(&decoded, cases[i].pair);
        assert_int_equal(decoded.object.preset.number.value, cases[i].number);
        assert_int_equal(decoded.object.preset.word.value, cases[i].word);
        assert_int_equal(decoded.object.preset.percent.value, cases[i].percent);
        assert_string_equal(decoded.object.preset.text.text.ptr, cases[i].text);
        assert_int_equal(decoded.object.preset.text.place.line,
                         strstr(cases[i].pair, "text") ? 1 : 0);
        decoded_done(&decoded);
    }
}

/* A value that the reader has reported is ignored, whatever is expected. */
static void test_broken(void **state)
{
    static const struct yaml_node broken = {.kind = YAML_KIND_BROKEN, .place = {"f", 1, 1}};
    struct field_context context = {.diag = diag_new(&config_findings), .arena = arena_new(0)};
    struct object object = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        field_decode_value(&context, &rows[i], &broken, &object);
    for (size_t i = 0; i < ARRAY_LEN(base_rows); i++)
        field_decode_value(&context, &base_rows[i], &broken, &object);
    assert_int_equal(diag_count(context.diag, LEVEL_ERROR), 0);
    assert_int_equal(object.number.place.line, 0);
    arena_free(context.arena);
    diag_free(context.diag);
}

/* The nearest key is not looked for in a finding that is not kept. */
static void test_many_unknown(void **state)
{
    struct field_context context = {.diag = diag_new(&config_findings), .arena = arena_new(0)};
    struct yaml_node key = {.kind = YAML_KIND_TEXT, .text = {"txet", 4}, .place = {"f", 1, 1}};

    (void)state;
    for (uint32_t i = 1; i <= DIAG_MAX + 1; i++) {
        key.place.line = i;
        assert_null(field_find(&context, &fields, &key));
    }
    assert_int_equal(diag_count(context.diag, LEVEL_ERROR), DIAG_MAX + 1);
    arena_free(context.arena);
    diag_free(context.diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_general_limits), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_findings),       cmocka_unit_test(test_broken),
        cmocka_unit_test(test_many_unknown),   cmocka_unit_test(test_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
