/* SPDX-License-Identifier: MIT */
#include "reports/report_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "reports/tls_report.h"

static void test_words(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "''"},
        {"google.com", "google.com"},
        {"2001:db8::1", "2001:db8::1"},
        {"Google Inc.", "'Google Inc.'"},
        {"a\033[31m", "'a\\x1b[31m'"},
        {"a\nb", "'a\\x0ab'"},
        {"it's", "'it\\'s'"},
        {"b\xc3\xbc", "'b\\xc3\\xbc'"},
    };
    struct arena *arena = arena_new(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(report_words_of(rows[i].text, arena), rows[i].words);
    arena_free(arena);
}

/* A finding's own quotes stay; nothing of a stranger reaches the terminal. */
static void test_sentence(void **state)
{
    struct arena *arena = arena_new(0);
    char longer[400];

    (void)state;
    assert_string_equal(report_words_sentence("", arena), "");
    assert_string_equal(report_words_sentence("'mx.example' is in no mx", arena),
                        "'mx.example' is in no mx");
    assert_string_equal(report_words_sentence("a\033[31m\nb\xc3\xbc\x7f", arena),
                        "a\\x1b[31m\\x0ab\\xc3\\xbc\\x7f");
    memset(longer, '\033', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(strlen(report_words_sentence(longer, arena)), 4 * 300 + strlen("..."));
    arena_free(arena);
}

static void test_counts_and_days(void **state)
{
    struct arena *arena = arena_new(0);

    (void)state;
    assert_string_equal(report_words_sessions(UNKNOWN_COUNT, arena),
                        "an unknown number of sessions");
    assert_string_equal(report_words_sessions(0, arena), "0 sessions");
    assert_string_equal(report_words_sessions(1, arena), "1 session");
    assert_string_equal(report_words_sessions(INT64_MAX, arena), "9223372036854775807 sessions");
    assert_string_equal(report_words_day(0, arena), "1 January 1970");
    assert_string_equal(report_words_day(20000, arena), "4 October 2024");
    assert_string_equal(report_words_iso_day(0, arena), "1970-01-01");
    assert_string_equal(report_words_iso_day(-1, arena), "1969-12-31");
    assert_string_equal(report_words_iso_day(20000, arena), "2024-10-04");
    assert_string_equal(report_words_print(arena, "%s-%d", "a", 1), "a-1");
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_words),
                                              cmocka_unit_test(test_sentence),
                                              cmocka_unit_test(test_counts_and_days)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
