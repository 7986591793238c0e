/* SPDX-License-Identifier: MIT */
#include "lib/yaml/reader.h"

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
#include "support/fixture.h"

/* Prints a tree: text, [list], {key=value}, ! for a broken node. */
static void print_node(const struct yaml_node *node, FILE *out)
{
    const char *separator = "";

    if (node->kind == YAML_KIND_BROKEN)
        fputc('!', out);
    if (node->kind == YAML_KIND_TEXT)
        fwrite(node->text.ptr, 1, node->text.len, out);
    if (node->kind != YAML_KIND_LIST && node->kind != YAML_KIND_MAP)
        return;
    fputc(node->kind == YAML_KIND_LIST ? '[' : '{', out);
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        fputs(separator, out);
        print_node(child, out);
        if (child->value) {
            fputc('=', out);
            print_node(child->value, out);
        }
        separator = ",";
    }
    fputc(node->kind == YAML_KIND_LIST ? ']' : '}', out);
}

/* Walks the top mapping: "skip" is passed over, "enter" is entered, the rest is read. */
static void walk(struct yaml_reader *reader, struct arena *arena, FILE *out)
{
    struct yaml_node *key;

    while (yaml_reader_next(reader, arena, &key) == 1) {
        fprintf(out, "%.*s=", SLICE_ARG(key->text));
        if (slice_eq_text(key->text, "skip")) {
            yaml_reader_skip(reader);
        } else if (slice_eq_text(key->text, "list")) {
            struct yaml_node *item;

            fputs(yaml_reader_is_at_nothing(reader) ? "nothing" : "", out);
            if (yaml_reader_enter_list(reader) != 1) {
                yaml_reader_skip(reader);
                continue;
            }
            while (yaml_reader_next_item(reader, arena, &item) == 1) {
                print_node(item, out);
                fputc(';', out);
            }
        } else if (!slice_eq_text(key->text, "enter")) {
            print_node(yaml_reader_value(reader, arena), out);
        } else if (yaml_reader_enter(reader, "enter") == 0) {
            fputc('(', out);
            walk(reader, arena, out);
            fputc(')', out);
        }
        fputc(' ', out);
    }
}

/* What a walk prints; the caller frees. A failed finish is an x at the end. */
static char *walked(struct slice yaml, struct diag *diag)
{
    struct yaml_reader *reader = yaml_reader_new("f", yaml, diag);
    struct arena *arena = arena_new(0);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (yaml_reader_enter(reader, NULL) == 0)
        walk(reader, arena, out);
    if (yaml_reader_finish(reader) != 0)
        fputc('x', out);
    fclose(out);
    yaml_reader_free(reader);
    arena_free(arena);
    return text;
}

struct row {
    const char *yaml;
    const char *want;
    const char *findings;
};

static bool check(const struct row *row)
{
    struct diag *diag = diag_new(&config_findings);
    char *seen = walked(slice_of(row->yaml), diag);
    char *findings = fixture_findings(diag, "-unused-", "");
    bool good = fixture_equal(row->yaml, row->want, seen);

    good = fixture_equal(row->yaml, row->findings, findings) && good;
    free(seen);
    free(findings);
    diag_free(diag);
    return good;
}

static void check_rows(const struct row *rows, size_t n_rows)
{
    size_t n_failed = 0;

    for (size_t i = 0; i < n_rows; i++)
        n_failed += !check(&rows[i]);
    if (n_failed > 0)
        fail_msg("%zu of %zu rows failed", n_failed, n_rows);
}

static void test_values(void **state)
{
    static const struct row rows[] = {
        {"{}", "", ""},
        {"a: b", "a=b ", ""},
        {"a: b\n", "a=b ", ""},
        {"---\na: b\n...\n", "a=b ", ""},
        {"\xef\xbb\xbf"
         "a: b",
         "a=b ", ""},
        {"a: b\r\nc:\r\n  - d\r\n", "a=b c=[d] ", ""},
        {"a:\n", "a= ", ""},
        {"a: [b, 'c', \"d\"]\ne: {f: g, h: [i]}\n", "a=[b,c,d] e={f=g,h=[i]} ", ""},
        {"a: []\nb: {}\nc: [{}]\n", "a=[] b={} c=[{}] ", ""},
        {"a: |\n b\n c\nd: >\n e\n f\n", "a=b\nc\n d=e f\n ", ""},
        {"a: no\nb: 0777\nc: 2026-01-01\nd: ~\ne: 1_000\n", "a=no b=0777 c=2026-01-01 d=~ e=1_000 ",
         ""},
        {"a: 1\na: 2\n", "a=1 a=2 ", ""}, /* what a duplicate is, the caller knows */
        {"? a\n: b\n", "a=b ", ""},
        {"\"<<\": a\nb: {'<<': c}\n", "<<=a b={<<=c} ", ""},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_walk(void **state)
{
    static const struct row rows[] = {
        {"skip: a\nb: c", "skip= b=c ", ""},
        {"skip: {a: [b, {c: d}]}\ne: f", "skip= e=f ", ""},
        {"enter: {}\na: b", "enter=() a=b ", ""},
        {"enter: {a: b, skip: [c], d: {e: f}}\ng: h", "enter=(a=b skip= d={e=f} ) g=h ", ""},
        {"enter: {enter: {a: b}, c: d}\ne: f", "enter=(enter=(a=b ) c=d ) e=f ", ""},
        {"list: []\na: b", "list= a=b ", ""},
        {"list: [a, {b: c}, [d]]\ne: f", "list=a;{b=c};[d]; e=f ", ""},
        {"list:\n- a\n-\ne: f", "list=a;; e=f ", ""},
        {"list:\ne: f", "list=nothinge=f ", ""},
        {"list: {a: b}\ne: f", "list=e=f ", ""},
        {"enter: {list: [a], b: c}\nd: e", "enter=(list=a; b=c ) d=e ", ""},
        {"enter: a\nb: c", "enter= b=c ",
         "f:1:8: error: enter: expected a mapping, lines of 'key: value', found 'a' "
         "[wrong-type]\n"},
        {"enter:\nb: c", "enter= b=c ",
         "f:1:7: error: enter: expected a mapping, lines of 'key: value', found nothing "
         "[wrong-type]\n"},
        {"enter: [a, {b: c}]\nd: e", "enter= d=e ",
         "f:1:8: error: enter: expected a mapping, lines of 'key: value', found a list "
         "[wrong-type]\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

#define EMPTY "error: expected a mapping, lines of 'key: value', found an empty file [wrong-type]\n"

static void test_documents(void **state)
{
    static const struct row rows[] = {
        {"", "x", "f:1:1: " EMPTY},
        {"\n", "x", "f:2:1: " EMPTY},
        {"# only this\n", "x", "f:2:1: " EMPTY},
        {"a", "",
         "f:1:1: error: expected a mapping, lines of 'key: value', found 'a' [wrong-type]\n"},
        {"a: b\n---\nc: d\n", "a=b x",
         "f:2:1: error: a second document (---) is not supported; use include: for further files "
         "[yaml-feature]\n"},
        {"a: b\n...\n---\n", "a=b x",
         "f:3:1: error: a second document (---) is not supported; use include: for further files "
         "[yaml-feature]\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

#define ANCHOR \
    "is not supported; what several domains share is a policy under policies:, and put a string "
#define ANCHORED ANCHOR "that begins with & in quotes [yaml-feature]\n"
#define ALIASED ANCHOR "that begins with * in quotes [yaml-feature]\n"
#define TAGGED "is not supported; leave it out, every value is a string here [yaml-feature]\n"
#define MERGED                                                                         \
    "error: a merge key (<<) is not supported; write 'policy: name' and what differs " \
    "[yaml-feature]\n"
#define NO_KEY(found)                                                                         \
    "error: expected a key, found " found "; put a key that begins with {, [ or * in quotes " \
    "[wrong-type]\n"

static void test_features(void **state)
{
    static const struct row rows[] = {
        {"&r {a: b}", "a=b ", "f:1:1: error: the anchor '&r' " ANCHORED},
        {"a: &b c", "a=c ", "f:1:4: error: the anchor '&b' " ANCHORED},
        {"&a b: &c [d]\ne: &f {g: h}\n", "b=[d] e={g=h} ",
         "f:1:1: error: the anchor '&a' " ANCHORED "f:1:7: error: the anchor '&c' " ANCHORED
         "f:2:4: error: the anchor '&f' " ANCHORED},
        {"enter: &a {b: c}", "enter=(b=c ) ", "f:1:8: error: the anchor '&a' " ANCHORED},
        {"a: *b\nc: [*d]\nenter: *e\n", "a=! c=[!] enter= ",
         "f:1:4: error: the alias '*b' " ALIASED "f:2:5: error: the alias '*d' " ALIASED
         "f:3:8: error: the alias '*e' " ALIASED},
        {"a: !!int 1\nb: !c [d]\ne: !f {g: ! h}\n", "a=1 b=[d] e={g=h} ",
         "f:1:4: error: the tag 'tag:yaml.org,2002:int' " TAGGED
         "f:2:4: error: the tag '!c' " TAGGED "f:3:4: error: the tag '!f' " TAGGED
         "f:3:11: error: the tag '!' " TAGGED},
        {"<<: {a: b}\nc: {<<: d, e: f}\n", "c={e=f} ", "f:1:1: " MERGED "f:2:5: " MERGED},
        {"[a]: b\n{c: d}: e\n*f : g\nh: {[i]: j, k: l}\n", "h={k=l} ",
         "f:1:1: " NO_KEY("a list") "f:2:1: " NO_KEY("a mapping") "f:3:1: " NO_KEY(
             "an alias") "f:4:5: " NO_KEY("a list")},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

/* Values that were read before the walk failed are good; half a value is not. */
static void test_failure(void **state)
{
    static const struct row rows[] = {
        {"a: b\nc: [d\n", "a=b c=! x",
         "f:3:1: error: not well-formed YAML: while parsing a flow sequence begun on line 2, did "
         "not find expected ',' or ']'; close the [ with a ], and put a string with brackets, "
         "braces "
         "or commas in it in quotes [syntax]\n"},
        {"skip: [d\n", "skip= x",
         "f:2:1: error: not well-formed YAML: while parsing a flow sequence begun on line 1, did "
         "not find expected ',' or ']'; close the [ with a ], and put a string with brackets, "
         "braces "
         "or commas in it in quotes [syntax]\n"},
        {"enter: {a: {b\n", "enter=(a=! ) x",
         "f:2:1: error: not well-formed YAML: while parsing a flow mapping begun on line 1, did "
         "not find expected ',' or '}'; close the { with a }, and put a string with brackets, "
         "braces "
         "or commas in it in quotes [syntax]\n"},
        {"@", "x",
         "f:1:1: error: not well-formed YAML: while scanning for the next token, found character "
         "that cannot start any token; put a string that begins with @, ` or % in quotes "
         "[syntax]\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

/* `count` times `text`, behind `before`; the caller frees. */
static char *repeat(const char *before, size_t count, const char *text)
{
    size_t len = strlen(before), text_len = strlen(text);
    char *result = memory_alloc(len + count * text_len + 1);

    memcpy(result, before, len + 1);
    for (size_t i = 0; i < count; i++, len += text_len)
        memcpy(result + len, text, text_len + 1);
    return result;
}

static void test_limits(void **state)
{
    static const struct {
        const char *before, *text;
        size_t count;
        const char *after;
        const char *findings;
    } rows[] = {
        {"a: ", "[", YAML_DEPTH_MAX, "]]]]]]]]]]]]]]]]", ""},
        {"a: ", "[", YAML_DEPTH_MAX + 1, "]]]]]]]]]]]]]]]]]",
         "f:1:20: error: nested deeper than 16 levels, more than any key needs; is a bracket left "
         "open? "
         "[too-large]\n"},
        {"skip: ", "{a: ", YAML_DEPTH_MAX, "}}}}}}}}}}}}}}}}", ""},
        {"skip: ", "{a: ", YAML_DEPTH_MAX + 1, "}}}}}}}}}}}}}}}}}",
         "f:1:71: error: nested deeper than 16 levels, more than any key needs; is a bracket left "
         "open? "
         "[too-large]\n"},
        {"? ", "[", YAML_DEPTH_MAX + 1, "]]]]]]]]]]]]]]]]]",
         "f:1:3: " NO_KEY("a list") "f:1:19: error: nested deeper than 16 levels, more than any "
                                    "key needs; is a bracket left open? [too-large]\n"},
        {"a: [", "b,", YAML_NODES_MAX - 1, "]", ""},
        {"a: [", "b,", YAML_NODES_MAX, "]",
         "f:1:20003: error: found more values under one key than any can have; is a bracket left "
         "open? [too-large]\n"},
        {"skip: [", "b,", 2 * YAML_NODES_MAX, "]", ""},
        {"enter: {", "a: b,", 2 * YAML_NODES_MAX, "}", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag *diag = diag_new(&config_findings);
        char *half = repeat(rows[i].before, rows[i].count, rows[i].text);
        char *yaml = repeat(half, 1, rows[i].after);
        char *seen = walked(slice_of(yaml), diag);
        char *findings = fixture_findings(diag, "-unused-", "");

        if (!fixture_equal(rows[i].before, rows[i].findings, findings))
            fail_msg("row %zu failed", i);
        free(half);
        free(yaml);
        free(seen);
        free(findings);
        diag_free(diag);
    }
}

/* Columns count characters, lines any of the line ends. */
static void test_places(void **state)
{
    struct diag *diag = diag_new(&config_findings);
    struct slice yaml = slice_of("\xef\xbb\xbf\xc3\xbc: b\r\nc:\r  {d: e}\n");
    struct yaml_reader *reader = yaml_reader_new("f", yaml, diag);
    struct arena *arena = arena_new(0);
    struct yaml_node *key, *value;

    (void)state;
    assert_int_equal(yaml_reader_enter(reader, NULL), 0);
    assert_int_equal(yaml_reader_next(reader, arena, &key), 1);
    value = yaml_reader_value(reader, arena);
    assert_string_equal(key->place.file, "f");
    assert_true(key->place.line == 1 && key->place.column == 1);
    assert_true(value->place.line == 1 && value->place.column == 4);
    assert_int_equal(yaml_reader_next(reader, arena, &key), 1);
    value = yaml_reader_value(reader, arena);
    assert_true(key->place.line == 2 && key->place.column == 1);
    assert_true(value->place.line == 3 && value->place.column == 3);
    assert_true(value->first->place.line == 3 && value->first->place.column == 4);
    assert_true(value->first->value->place.line == 3 && value->first->value->place.column == 7);
    assert_int_equal(yaml_reader_next(reader, arena, &key), 0);
    assert_int_equal(yaml_reader_next(reader, arena, &key), 0);
    assert_int_equal(yaml_reader_finish(reader), 0);
    yaml_reader_free(reader);
    yaml_reader_free(NULL);
    arena_free(arena);
    diag_free(diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_walk),
        cmocka_unit_test(test_documents), cmocka_unit_test(test_features),
        cmocka_unit_test(test_failure),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
