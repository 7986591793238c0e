/* SPDX-License-Identifier: MIT */
/* Tested by way of the reader, since libyaml itself makes the errors. */
#include "lib/yaml/syntax_error.h"

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

static char *read_all(struct slice bytes)
{
    struct diag *diag = diag_new(&config_findings);
    struct yaml_reader *reader = yaml_reader_new("f", bytes, diag);
    struct arena *arena = arena_new(0);
    struct yaml_node *key;
    char *findings;

    if (yaml_reader_enter(reader, NULL) == 0)
        while (yaml_reader_next(reader, arena, &key) == 1)
            yaml_reader_skip(reader);
    yaml_reader_finish(reader);
    yaml_reader_free(reader);
    arena_free(arena);
    findings = fixture_findings(diag, "-unused-", "");
    diag_free(diag);
    return findings;
}

/* Returns 1 if the row has failed. */
static size_t check(size_t row, struct slice bytes, const char *want)
{
    char *seen = read_all(bytes);
    bool good = strcmp(seen, want) == 0;

    if (!good)
        print_error("row %zu:\nwanted %s\nsaw    %s", row, want, seen);
    free(seen);
    return !good;
}

static void test_bytes(void **state)
{
    static const struct {
        struct slice bytes;
        const char *want;
    } rows[] = {
        {{"\0", 1}, "1:1: error: found the byte 0x00: control characters are not allowed; a "},
        {{"a: \x7f", 4}, "1:4: error: found the byte 0x7f: control characters are not allowed; a "},
        {{"a: b\nc: \xff", 9}, "2:4: error: found the byte 0xff: invalid leading UTF-8 octet; a "},
        {{"a: b\r\nc: \xff", 10},
         "2:4: error: found the byte 0xff: invalid leading UTF-8 octet; a "},
        {{"a: b\rc: \xff", 9}, "2:4: error: found the byte 0xff: invalid leading UTF-8 octet; a "},
        {{"# \xc3\xbc\xfc\n", 6},
         "1:4: error: found the byte 0xfc: invalid leading UTF-8 octet; a "},
        {{"a: \xc3z", 5}, "1:5: error: found the byte 0x7a: invalid trailing UTF-8 octet; a "},
        {{"a: \xc3", 4}, "1:4: error: found the byte 0xc3: incomplete UTF-8 octet sequence; a "},
        {{"a: \xc0\x80", 5},
         "1:4: error: found the byte 0xc0: invalid length of a UTF-8 sequence; a "},
        {{"a: \xed\xa0\x80", 6}, "1:4: error: found the byte 0xed: invalid Unicode character; a "},
        {{"a: \xef\xbf\xbe", 6},
         "1:4: error: found the byte 0xef: control characters are not allowed; a "},
        {{"a: \xff\xfe", 5}, "1:4: error: found the byte 0xff: invalid leading UTF-8 octet; a "},
        {{"\xef\xbb\xbf\xff", 4},
         "1:1: error: found the byte 0xff: invalid leading UTF-8 octet; a "},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[256];

        snprintf(want, sizeof(want), "f:%sconfiguration is UTF-8 text [syntax]\n", rows[i].want);
        n_failed += check(i, rows[i].bytes, want);
    }
    assert_int_equal(n_failed, 0);
}

static void test_utf16(void **state)
{
    static const struct slice rows[] = {
        {"\xff\xfe"
         "a\0:\0",
         6},
        {"\xfe\xff\0a\0:", 6},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        n_failed +=
            check(i, rows[i],
                  "f:1:1: error: the file is UTF-16; a configuration is UTF-8 text, so save it as "
                  "that [syntax]\n");
    assert_int_equal(n_failed, 0);
}

/* A row for each hint; how hints read in a configuration is in data/config/bad/syntax-*.yaml. */
static void test_cures(void **state)
{
    static const struct {
        const char *yaml, *place, *cure;
    } rows[] = {
        {"a: *.b", "1:5", "put a string that begins with * in quotes: \"*.example.com\""},
        {"a: &.b", "1:5", "put a string that begins with & in quotes"},
        {"a: !<b", "1:7", "put a string that begins with ! in quotes"},
        {"a: !b!", "1:7", "put a string that begins with ! in quotes"},
        {"a:\n\tb: c", "2:1", "indent with spaces, not with tabs"},
        {"\ta: b", "1:1", "indent with spaces, not with tabs"},
        {"# \xc3\xbc\n\ta: b", "2:1", "indent with spaces, not with tabs"},
        {"a: b\n\tc", "2:1", "indent with spaces, not with tabs"},
        {"a: @b", "1:4", "put a string that begins with @, ` or % in quotes"},
        {"a: `b", "1:4", "put a string that begins with @, ` or % in quotes"},
        {"a: %b", "1:4", "put a string that begins with @, ` or % in quotes"},
        {"a: [b:]", "1:6",
         "put a string with a ':' before a comma or bracket in quotes: \"https:\""},
        {"a: b\nc\nd: e", "2:1", "each line is 'key: value', with a space after the ':'"},
        {"a: b: c", "1:5",
         "write one 'key: value' a line, and put a string with ': ' in it in quotes"},
        {"a: - b", "1:4", "the '- ' of a list begins a line of its own"},
        {"a:\n  b: c\n d: e", "3:2", "keys of one mapping begin in the same column"},
        {"a:\n - b\n c: d", "3:2", "items of one list begin with '- ' in the same column"},
        {"a: [b", "2:1",
         "close the [ with a ], and put a string with brackets, braces or commas in it in quotes"},
        {"a: {b", "2:1",
         "close the { with a }, and put a string with brackets, braces or commas in it in quotes"},
        {"a: [,]", "1:5",
         "put a string with brackets, braces, commas or colons in it in quotes: \"[::]:443\""},
        {"a: \"b\nc", "1:4", "the closing quote is missing"},
        {"a: 'b", "1:4", "the closing quote is missing"},
        {"a: \"\\c\"", "1:5", "within single quotes a \\ is an ordinary character"},
        {"{a: b} c", "1:8", "the file is one mapping, and nothing follows it"},
        {"a: |x", "1:5", "look at the indentation, quotes and brackets here"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *seen = read_all(slice_of(rows[i].yaml));
        char place[64], cure[256];

        snprintf(place, sizeof(place), "f:%s: error: not well-formed YAML: ", rows[i].place);
        snprintf(cure, sizeof(cure), "; %s [syntax]\n", rows[i].cure);
        if (!slice_starts_with(slice_of(seen), place) || !slice_ends_with(slice_of(seen), cure)) {
            n_failed++;
            print_error("row %zu:\nwanted %s...%ssaw    %s", i, place, cure, seen);
        }
        free(seen);
    }
    assert_int_equal(n_failed, 0);
}

/* The line where the construct began is named if it is an earlier one. */
static void test_beginning(void **state)
{
    static const struct {
        const char *yaml, *want;
    } rows[] = {
        {"a:\n - [b,\nc: d",
         "f:4:1: error: not well-formed YAML: while parsing a flow sequence begun on line 2, did "
         "not find expected ',' or ']'; close the [ with a ], and put a string with brackets, "
         "braces "
         "or commas in it in quotes [syntax]\n"},
        {"a: [b}",
         "f:1:6: error: not well-formed YAML: while parsing a flow sequence, did not find expected "
         "',' or ']'; close the [ with a ], and put a string with brackets, braces or commas in it "
         "in quotes [syntax]\n"},
    };
    size_t n_failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        n_failed += check(i, slice_of(rows[i].yaml), rows[i].want);
    assert_int_equal(n_failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_cures),
        cmocka_unit_test(test_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
