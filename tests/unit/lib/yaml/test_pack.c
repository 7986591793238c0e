/* SPDX-License-Identifier: MIT */
#include "lib/yaml/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/yaml/decode.h"
#include "support/fixture.h"

#define FILE_NAME "f.yaml"

struct base {
    struct field_text text;
    struct field_number number;
};

struct object {
    struct base base;
    struct field_texts texts;
    struct field_number duration, word, words, on;
    struct field_text last;
};

static const struct field base_rows[] = {
    {.key = "text", .type = FIELD_TEXT, .offset = offsetof(struct base, text)},
    {.key = "number", .type = FIELD_NUMBER, .offset = offsetof(struct base, number)},
};
static const struct fields base_fields = {.rows = base_rows, .n_rows = ARRAY_LEN(base_rows)};

static const struct field rows[] = {
    {.key = "texts", .type = FIELD_TEXTS, .offset = offsetof(struct object, texts)},
    {.key = "duration", .type = FIELD_DURATION, .offset = offsetof(struct object, duration)},
    {.key = "word", .type = FIELD_WORD, .offset = offsetof(struct object, word)},
    {.key = "words", .type = FIELD_WORDS, .offset = offsetof(struct object, words)},
    {.key = "on", .type = FIELD_SWITCH, .offset = offsetof(struct object, on)},
    {.key = "last", .type = FIELD_TEXT, .offset = offsetof(struct object, last)},
};
static const struct fields fields = {.rows = rows, .n_rows = ARRAY_LEN(rows), .base = &base_fields};

static struct place at(uint32_t line, uint32_t column)
{
    return (struct place){FILE_NAME, line, column};
}

static struct field_text text_at(const char *text, uint32_t line, uint32_t column)
{
    return (struct field_text){slice_of(text), at(line, column)};
}

static void expect_place(struct place want, struct place seen)
{
    assert_int_equal(seen.line, want.line);
    assert_int_equal(seen.column, want.column);
    if (want.line != 0)
        assert_string_equal(seen.file, want.file);
}

static void expect_number(struct field_number want, struct field_number seen)
{
    assert_int_equal(seen.value, want.value);
    expect_place(want.place, seen.place);
}

static void expect_text(struct field_text want, struct field_text seen)
{
    expect_place(want.place, seen.place);
    assert_int_equal(seen.text.len, want.text.len);
    if (want.text.ptr)
        assert_string_equal(seen.text.ptr, want.text.ptr);
}

static void expect_object(const struct object *want, const struct object *seen)
{
    expect_text(want->base.text, seen->base.text);
    expect_number(want->base.number, seen->base.number);
    expect_place(want->texts.place, seen->texts.place);
    assert_int_equal(seen->texts.n_items, want->texts.n_items);
    for (size_t i = 0; i < want->texts.n_items; i++)
        expect_text(want->texts.items[i], seen->texts.items[i]);
    expect_number(want->duration, seen->duration);
    expect_number(want->word, seen->word);
    expect_number(want->words, seen->words);
    expect_number(want->on, seen->on);
    expect_text(want->last, seen->last);
}

/* Packed, its memory overwritten, and unpacked over `preset`. */
static struct object there_and_back(const struct object *object, const struct object *preset,
                                    struct arena *arena)
{
    struct object copy = *object, seen = *preset;
    const char *packed = field_pack(&fields, &copy, arena);

    memset(&copy, 0xff, sizeof(copy));
    field_unpack(&fields, packed, FILE_NAME, arena, &seen);
    return seen;
}

static void test_everything(void **state)
{
    struct field_text items[] = {text_at("one", 3, 9), text_at("", 4, 1),
                                 text_at("\xc3\xa9", 5, 2)};
    struct object object = {
        .base = {text_at("some text", 1, 2), {7, at(2, 3)}},
        .texts = {items, ARRAY_LEN(items), at(3, 8)},
        .duration = {UINT32_MAX, at(UINT32_MAX, UINT32_MAX)},
        .word = {0, at(7, 1)},
        .words = {5, at(8, 1)},
        .on = {1, at(9, 1)},
        .last = text_at("", 10, 1),
    };
    struct arena *arena = arena_new(0);
    struct object seen = there_and_back(&object, &(struct object){0}, arena);

    (void)state;
    expect_object(&object, &seen);
    arena_free(arena);
}

static void test_longest(void **state)
{
    static struct field_text items[FIELD_LIST_MAX];
    static char longest[FIELD_TEXT_MAX + 1];
    struct object object = {.texts = {items, ARRAY_LEN(items), at(1, 1)}}, seen;
    struct arena *arena = arena_new(0);

    (void)state;
    memset(longest, 'x', FIELD_TEXT_MAX);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        items[i] = text_at(longest, (uint32_t)i + 1, 1);
    seen = there_and_back(&object, &(struct object){0}, arena);
    expect_object(&object, &seen);
    arena_free(arena);
}

/* What is not given is as it was; an empty list is given. */
static void test_presets(void **state)
{
    struct object preset = {
        .base = {{slice_of("preset"), {0}}, {4, {0}}},
        .on = {1, {0}},
    };
    struct object object = preset, seen;
    struct arena *arena = arena_new(0);

    (void)state;
    seen = there_and_back(&object, &preset, arena);
    expect_object(&preset, &seen);

    object.texts.place = at(1, 1);
    object.on = (struct field_number){0, at(2, 2)};
    seen = there_and_back(&object, &preset, arena);
    expect_object(&object, &seen);
    arena_free(arena);
}

/* What packing is for. */
static void test_size(void **state)
{
    struct object object = {.base = {text_at("standard", 1, 2), {0}}, .on = {0, at(1, 20)}};
    struct arena *arena = arena_new(0);

    (void)state;
    field_pack(&fields, &object, arena);
    assert_true(arena_used(arena) < sizeof(object) / 4);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
