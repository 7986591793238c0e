/* SPDX-License-Identifier: MIT */
#include "lib/state/spool_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"

#define HEAD(host, peer, type, length)                                                             \
    "mta-stsd report 1\nreceived: 1764370000\nhost: " host "\npeer: " peer "\ncontent-type: " type \
    "\nlength: " length "\n\n"

static void assert_round_trip(const struct spool_entry *entry, const char *head)
{
    char bytes[SPOOL_HEAD_MAX + 64];
    size_t len = spool_entry_render_head(entry, bytes);
    struct spool_entry parsed;
    struct err err;

    assert_int_equal(len, strlen(head));
    assert_memory_equal(bytes, head, len);
    memcpy(bytes + len, entry->body.ptr, entry->body.len);
    assert_int_equal(spool_entry_parse((struct slice){bytes, len + entry->body.len}, &parsed, &err),
                     0);
    assert_int_equal(parsed.received_unix_s, entry->received_unix_s);
    assert_true(slice_eq(parsed.body, entry->body));
}

static void test_round_trip(void **state)
{
    struct spool_entry entry = {.received_unix_s = 1764370000,
                                .host = slice_of("mta-sts.example.com"),
                                .peer = slice_of("192.0.2.1"),
                                .content_type = slice_of("application/tlsrpt+gzip"),
                                .body = SLICE_BYTES("\x1f\x8b\0\n\n")};

    (void)state;
    assert_round_trip(&entry,
                      HEAD("mta-sts.example.com", "192.0.2.1", "application/tlsrpt+gzip", "5"));
    entry.peer = entry.content_type = (struct slice){0};
    entry.body = slice_of("{");
    assert_round_trip(&entry, HEAD("mta-sts.example.com", "", "", "1"));
}

static void test_escapes(void **state)
{
    const struct spool_entry entry = {.received_unix_s = 1764370000,
                                      .host = slice_of("h"),
                                      .peer = slice_of("::1"),
                                      .content_type = SLICE_BYTES("a\nb: \\\x1b[0m\0\xff~ ;"),
                                      .body = slice_of("{}")};

    (void)state;
    assert_round_trip(&entry, HEAD("h", "::1", "a\\x0ab: \\x5c\\x1b[0m\\x00\\xff~ ;", "2"));
}

/* Each value is as long as it can be: the head fits, and no escape is cut in two. */
static void test_longest(void **state)
{
    char text[1000], plain[1000], head[SPOOL_HEAD_MAX];
    const struct slice escaped = {text, sizeof(text)}, long_text = {plain, sizeof(plain)};
    struct spool_entry entry = {.received_unix_s = INT64_MAX,
                                .host = long_text,
                                .peer = escaped,
                                .content_type = escaped,
                                .body = {text, SIZE_MAX}};
    char *at;
    size_t len;

    (void)state;
    memset(text, 0xff, sizeof(text));
    memset(plain, 'x', sizeof(plain));
    len = spool_entry_render_head(&entry, head);
    assert_in_range(len, 600, SPOOL_HEAD_MAX);
    at = memmem(head, len, "content-type: ", 14);
    assert_non_null(at);
    assert_memory_equal(at + 14 + SPOOL_TYPE_MAX - 4, "\\xff\n", 5);
    entry.content_type = (struct slice){plain, SPOOL_TYPE_MAX - 2};
    len = spool_entry_render_head(&entry, head);
    assert_non_null(memmem(head, len, "xx\nlength: ", 11));
}

static void test_damaged(void **state)
{
    static const struct {
        const char *bytes, *message;
    } cases[] = {
        {"", "the file does not begin with the line 'mta-stsd report 1'"},
        {"mta-stsd report 1", "the file does not begin with the line 'mta-stsd report 1'"},
        {"mta-stsd report 2\n", "the file does not begin with the line 'mta-stsd report 1'"},
        {"mta-stsd report 1\n", "the lines above the report's body are damaged"},
        {HEAD("h", "p", "t", "x") "{}", "the lines above the report's body are damaged"},
        {HEAD("h", "p", "t", "-1") "{}", "the lines above the report's body are damaged"},
        {HEAD("h", "p\x1b", "t", "2") "{}", "the lines above the report's body are damaged"},
        {HEAD("h", "p", "t\nhost: a", "2") "{}", "the lines above the report's body are damaged"},
        {"mta-stsd report 1\nreceived: 1\npeer: p\nhost: h\ncontent-type: t\nlength: 0\n\n",
         "the lines above the report's body are damaged"},
        {"mta-stsd report 1\nreceived: 1\nhost: h\npeer: p\ncontent-type: t\nlength: 0\nmore\n\n",
         "the lines above the report's body are damaged"},
        {HEAD("h", "p", "t", "3") "{}", "expected a body of length 3, found 2"},
        {HEAD("h", "p", "t", "1") "{}", "expected a body of length 1, found 2"},
        {HEAD("h", "p", "t", "9223372036854775807") "",
         "expected a body of length 9223372036854775807, found 0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spool_entry entry = {.received_unix_s = 7};
        struct err err;

        if (spool_entry_parse(slice_of(cases[i].bytes), &entry, &err) == 0)
            fail_msg("case %zu was taken", i);
        assert_string_equal(err.msg, cases[i].message);
        assert_int_equal(entry.received_unix_s, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
