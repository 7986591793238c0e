/* SPDX-License-Identifier: MIT */
/*
 * Every key of the schema, wherever it stands: what is wrong with it is said with its path, the
 * nearest key is found, and files that load show how it is written.
 */
#include "lib/config/schema.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/config/sample.h"

/* Where a mapping stands: its path, and the text of a file up to its first key and from its last.
 */
struct context {
    char path[128];
    char before[256];
    char after[64];
};

typedef void row_check(const struct field *row, const struct context *context);

/* snprintf() that does not cut. */
__attribute__((format(printf, 3, 4))) static void print(char *buffer, size_t size,
                                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    assert_true(vsnprintf(buffer, size, format, arguments) < (int)size);
    va_end(arguments);
}

static struct context context_in(const struct context *outer, const struct field *row)
{
    bool is_list = row->type == FIELD_GROUPS;
    struct context inner;
    const char *entry = "";

    if (row->fields == &schema_policy)
        entry = "p";
    if (row->fields == &schema_domain)
        entry = "a.example";
    print(inner.path, sizeof(inner.path), "%s%s%s%s%s%s", outer->path, outer->path[0] ? "." : "",
          row->key, is_list ? "[0]" : "", entry[0] ? "." : "", entry);
    print(inner.before, sizeof(inner.before), "%s%s: %s{%s%s", outer->before, row->key,
          is_list ? "[" : "", entry, entry[0] ? ": {" : "");
    print(inner.after, sizeof(inner.after), "%s}%s%s", entry[0] ? "}" : "", is_list ? "]" : "",
          outer->after);
    return inner;
}

static void for_each_row(const struct fields *fields, const struct context *context,
                         row_check *check)
{
    if (fields->base)
        for_each_row(fields->base, context, check);
    for (size_t i = 0; i < fields->n_rows; i++) {
        const struct field *row = &fields->rows[i];

        check(row, context);
        if (row->fields) {
            struct context inner = context_in(context, row);

            for_each_row(row->fields, &inner, check);
        }
    }
}

static void for_every_row(row_check *check)
{
    const struct context top = {"", "{", "}"};

    for_each_row(&schema_main, &top, check);
}

/* What is found in a file with this pair alone. */
static char *findings_of(const struct context *context, const char *pair)
{
    char yaml[1024];
    struct sample sample;
    char *findings;

    print(yaml, sizeof(yaml), "%s%s%s\n", context->before, pair, context->after);
    sample = sample_load(yaml);
    findings = sample_findings(&sample);
    sample_done(&sample);
    return findings;
}

static void expect(const struct context *context, const char *pair, const char *want)
{
    char *seen = findings_of(context, pair);

    if (!strstr(seen, want))
        fail_msg("%s%s%s:\nwanted ...%s...\nsaw %s", context->before, pair, context->after, want,
                 seen);
    free(seen);
}

static const char *wrong_type(const struct field *row)
{
    switch (row->type) {
    case FIELD_TEXTS:
    case FIELD_WORDS:
    case FIELD_GROUP:
    case FIELD_GROUPS:
    case FIELD_STREAM:
        return "text";
    default:
        return "[]";
    }
}

static void check_wrong_type(const struct field *row, const struct context *context)
{
    char pair[128], want[256];

    print(pair, sizeof(pair), "%s: %s", row->key, wrong_type(row));
    print(want, sizeof(want), "error: %s%s%s: expected ", context->path,
          context->path[0] ? "." : "", row->key);
    expect(context, pair, want);
    expect(context, pair, wrong_type(row)[0] == '[' ? ", found a list" : ", found 'text'");
}

static void check_duplicate(const struct field *row, const struct context *context)
{
    char pair[128], want[256];

    print(pair, sizeof(pair), "%s: %s, %s: %s", row->key, wrong_type(row), row->key,
          wrong_type(row));
    print(want, sizeof(want), "error: %s%s%s: the key is given twice", context->path,
          context->path[0] ? "." : "", row->key);
    expect(context, pair, want);
}

/* With one of two letters wrong no key can be guessed; then all the keys are listed. */
static void check_slip(const struct field *row, const struct context *context)
{
    char pair[128], want[256];
    bool is_guessed = strlen(row->key) > 2;

    print(pair, sizeof(pair), "%sq: x", row->key);
    print(want, sizeof(want),
          is_guessed ? "'%sq' is not a key; did you mean '%s'?"
                     : "'%sq' is not a key; the keys here are ",
          row->key, row->key);
    expect(context, pair, want);
}

static void check_shape(const struct field *row, const struct context *context)
{
    (void)context;
    if (!row->help || !row->help[0])
        fail_msg("%s: nobody says what it is", row->key);
    if ((row->type == FIELD_WORD || row->type == FIELD_WORDS) && row->n_words == 0)
        fail_msg("%s: has no words", row->key);
    if ((row->type == FIELD_NUMBER || row->type == FIELD_DURATION) && row->max <= row->min)
        fail_msg("%s: has no range", row->key);
    if ((row->type == FIELD_GROUP || row->type == FIELD_GROUPS || row->type == FIELD_STREAM) !=
        (row->fields != NULL))
        fail_msg("%s: a mapping has fields, and nothing else has", row->key);
    if ((row->type == FIELD_GROUPS) != (row->size > 0))
        fail_msg("%s: items have a size, and nothing else has", row->key);
    if (row->choice && row->type != FIELD_TEXTS)
        fail_msg("%s: only the texts of a list can be chosen", row->key);
}

static void check_default(const struct field *row, const struct context *context)
{
    char pair[128];
    char *seen;

    if (!row->default_text)
        return;
    print(pair, sizeof(pair), "%s: \"%s\"", row->key, row->default_text);
    seen = findings_of(context, pair);
    print(pair, sizeof(pair), ".%s: ", row->key);
    if (strstr(seen, pair) || strstr(row->help, "default: "))
        fail_msg("%s: its default is not taken: %s", row->key, seen);
    free(seen);
}

/* What is served by default. The default of a policy's key is not set in the struct. */
static void check_policy_default(const struct field *row)
{
    char yaml[256];
    struct sample with, without;

    print(yaml, sizeof(yaml), "domains: {a.example: {mx: [b.example], %s: \"%s\"}}\n", row->key,
          row->default_text);
    with = sample_load(yaml);
    without = sample_load("domains: {a.example: {mx: [b.example]}}\n");
    assert_string_equal(with.config->domains[0].document->id,
                        without.config->domains[0].document->id);
    sample_done(&with);
    sample_done(&without);
}

static void test_defaults(void **state)
{
    size_t n = 0;

    (void)state;
    for_every_row(check_default);
    for (size_t i = 0; i < schema_policy.n_rows; i++) {
        if (!schema_policy.rows[i].default_text)
            continue;
        check_policy_default(&schema_policy.rows[i]);
        n++;
    }
    assert_int_equal(n, 2);
}

static void test_shapes(void **state)
{
    (void)state;
    for_every_row(check_shape);
}

static void test_wrong_types(void **state)
{
    (void)state;
    for_every_row(check_wrong_type);
}

static void test_duplicates(void **state)
{
    (void)state;
    for_every_row(check_duplicate);
}

static void test_slips(void **state)
{
    (void)state;
    for_every_row(check_slip);
}

/* The text of all files that load. */
static const char *good_files(void)
{
    static char text[64 * 1024];
    struct arena *arena = arena_new(0);
    glob_t files = {0};
    size_t len = 0;

    assert_int_equal(glob(TEST_DATA "/config/good/*.yaml", 0, NULL, &files), 0);
    assert_int_equal(glob(TEST_DATA "/config/warn/*.yaml", GLOB_APPEND, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct slice bytes;
        struct err err;

        assert_int_equal(file_read(files.gl_pathv[i], sizeof(text), arena, &bytes, &err), 0);
        assert_true(len + bytes.len < sizeof(text));
        memcpy(text + len, bytes.ptr, bytes.len);
        len += bytes.len;
    }
    text[len] = '\0';
    globfree(&files);
    arena_free(arena);
    return text;
}

static void check_shown(const struct field *row, const struct context *context)
{
    char key[64];

    (void)context;
    print(key, sizeof(key), "%s:", row->key);
    if (!strstr(good_files(), key))
        fail_msg("no good file shows %s", row->key);
}

static void test_every_key_has_a_file(void **state)
{
    (void)state;
    for_every_row(check_shown);
}

/* An included file has the two keys that may be many, and knows of the others. */
static void test_include(void **state)
{
    (void)state;
    assert_int_equal(schema_include.n_rows, 2);
    assert_null(schema_include.base);
    assert_ptr_equal(schema_main.base, &schema_include);
    assert_ptr_equal(schema_domain.base, &schema_policy);
}

/* What editors offer below allow: is what can be allowed. */
static void test_choices(void **state)
{
    const struct field *row = &schema_policy.rows[schema_policy.n_rows - 1];
    size_t n_choices = 0, n_allowable = 0;

    (void)state;
    assert_string_equal(row->key, "allow");
    for (; row->choice(n_choices); n_choices++)
        assert_int_not_equal(finding_row(finding_find(slice_of(row->choice(n_choices))))->level,
                             LEVEL_ERROR);
    for (int i = FINDING_NONE + 1; i < FINDING_COUNT; i++)
        n_allowable += finding_row((enum finding)i)->level != LEVEL_ERROR;
    assert_int_equal(n_choices, n_allowable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),      cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_slips),       cmocka_unit_test(test_every_key_has_a_file),
        cmocka_unit_test(test_include),     cmocka_unit_test(test_choices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
