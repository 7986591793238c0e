/* SPDX-License-Identifier: MIT */
#include "daemon/notify/notice_document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/arena.h"

static json_t *document_of(const struct notice_document *document)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    json_error_t error;
    json_t *root;

    notice_document_print(document, out);
    fclose(out);
    root = json_loadb(bytes, len, 0, &error);
    if (!root)
        fail_msg("%s: %s", error.text, bytes);
    free(bytes);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Neither a stranger's text nor an odd host name ends the line that becomes a mail's subject. */
static void test_hostile(void **state)
{
    static const char hostile[] = "<b>\r\nBcc: victim@example.net\r\n\r\n\xff\x01";
    const struct notice notices[] = {
        {.event = NOTICE_BEGAN,
         .condition = {.kind = CONDITION_CHECK,
                       .domain = slice_of("a.example"),
                       .code = slice_of("cert-name"),
                       .text = slice_of(hostile),
                       .advice = slice_of("Do.")},
         .since_unix_s = 100},
        {.event = NOTICE_ENDED,
         .condition = {.kind = CONDITION_RELOAD, .code = slice_of("reload-refused")},
         .since_unix_s = 90,
         .until_unix_s = 95},
    };
    const struct notice_document document = {
        .host = "h\nX: y", .now_unix_s = 123, .notices = notices, .n_notices = 2};
    json_t *root = document_of(&document), *list = json_object_get(root, "notices"), *first, *last;

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(root, "version")), 1);
    assert_int_equal(json_integer_value(json_object_get(root, "time")), 123);
    assert_int_equal(json_integer_value(json_object_get(root, "left_out")), 0);
    assert_null(json_object_get(root, "digest"));
    assert_string_equal(text_of(root, "summary"),
                        "mta-stsd on h?X??y: 1 condition began, 1 condition ended");
    assert_int_equal(json_array_size(list), 2);
    first = json_array_get(list, 0);
    last = json_array_get(list, 1);
    assert_string_equal(text_of(first, "event"), "began");
    assert_string_equal(text_of(first, "kind"), "check");
    assert_string_equal(text_of(first, "domain"), "a.example");
    assert_string_equal(text_of(first, "advice"), "Do.");
    assert_int_equal(strncmp(text_of(first, "text"), hostile, 10), 0);
    assert_null(json_object_get(first, "until"));
    assert_string_equal(text_of(last, "event"), "ended");
    assert_true(json_is_null(json_object_get(last, "domain")));
    assert_int_equal(json_integer_value(json_object_get(last, "until")), 95);
    assert_string_equal(text_of(last, "text"),
                        "Reloads are accepted again; the cause was reload-refused.");
    json_decref(root);
}

/* However many there are, the document has a bounded size, and says how many it leaves out. */
static void test_bounds(void **state)
{
    enum { N = 100000 };
    struct notice *notices = memory_alloc(N * sizeof(*notices));
    char *text = memory_alloc(3 * NOTICE_TEXT_MAX);
    const struct notice_digest digest = {.since_unix_s = 7, .n_open = N, .n_began = 2};
    const struct notice_document document = {
        .host = "h", .notices = notices, .n_notices = N, .digest = &digest};
    json_t *root, *list;

    (void)state;
    text[0] = 'a'; /* the cut is within a character */
    for (size_t i = 1; i + 1 < 3 * NOTICE_TEXT_MAX; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    for (size_t i = 0; i < N; i++)
        notices[i] = (struct notice){.event = NOTICE_DIGEST,
                                     .condition = {.kind = CONDITION_CHECK,
                                                   .domain = slice_of("a.example"),
                                                   .text = {text, 3 * NOTICE_TEXT_MAX - 1}},
                                     .since_unix_s = 1};
    root = document_of(&document);
    list = json_object_get(root, "notices");
    assert_int_equal(json_array_size(list), NOTICE_DOCUMENT_MAX);
    assert_int_equal(json_integer_value(json_object_get(root, "left_out")),
                     N - NOTICE_DOCUMENT_MAX);
    assert_int_equal(strlen(text_of(json_array_get(list, 0), "text")), NOTICE_TEXT_MAX - 1);
    assert_string_equal(text_of(root, "summary"),
                        "mta-stsd on h: digest: 100000 open, 2 began, 0 ended");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "digest"), "since")),
                     7);
    json_decref(root);
    free(notices);
    free(text);
}

static void test_kinds(void **state)
{
    const struct notice notice = {.event = NOTICE_TEST, .condition = {.code = slice_of("test")}};
    const struct notice_document document = {.host = "h", .notices = &notice, .n_notices = 1};
    json_t *root = document_of(&document);

    (void)state;
    assert_string_equal(text_of(root, "summary"), "mta-stsd on h: a test");
    assert_string_equal(text_of(json_array_get(json_object_get(root, "notices"), 0), "kind"),
                        "test");
    json_decref(root);
    for (int i = 0; i < CONDITION_KIND_COUNT; i++) {
        const struct notice ended = {
            .event = NOTICE_ENDED,
            .condition = {.kind = (enum condition_kind)i, .code = slice_of("some-code")},
            .until_unix_s = 1};
        const struct notice_document one = {.host = "h", .notices = &ended, .n_notices = 1};

        root = document_of(&one);
        assert_non_null(strstr(text_of(json_array_get(json_object_get(root, "notices"), 0), "text"),
                               "some-code"));
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
