/* SPDX-License-Identifier: MIT */
#include "daemon/notify/notice_book.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

/*
 * A simulated clock: each row is a look at a time, with what is open then, what is told, and
 * whether the receiver accepts it. A word is KIND:DOMAIN:CODE; "?KIND:DOMAIN" is unclear.
 */
struct book_row {
    int64_t at_s;
    const char *open;
    const char *told; /* "+WORD" began, "-WORD" ended; NULL: not accepted, but collected */
};

enum {
    START_S = 1700000000,
    COOLDOWN_S = 1000,
    WORDS_MAX = 16,
    TEXT_SIZE = 512,
};

static const struct notice_rules rules = {.cooldown_s = COOLDOWN_S};

/* "gone.example" has left the configuration. */
static bool has_domain(void *context, struct slice domain)
{
    (void)context;
    return !slice_eq_text(domain, "gone.example");
}

/* The kinds of all words are known, and those of `known`. */
static void list_of(const char *words, const char *known, struct arena *arena,
                    struct condition_list *ret_list)
{
    struct slice rest = slice_of(words);

    *ret_list = (struct condition_list){
        .conditions = arena_array(arena, WORDS_MAX, sizeof(*ret_list->conditions)),
        .unclear = arena_array(arena, WORDS_MAX, sizeof(*ret_list->unclear))};
    for (struct slice kinds = slice_of(known); kinds.len > 0;)
        ret_list->is_known[condition_kind_find(slice_take_field(&kinds, ' '))] = true;
    while (rest.len > 0) {
        struct slice word = slice_take_field(&rest, ' ');
        bool is_unclear = word.ptr[0] == '?';
        struct condition condition;

        word = slice_range(word, is_unclear, word.len);
        condition.kind = condition_kind_find(slice_take_field(&word, ':'));
        condition.domain = slice_take_field(&word, ':');
        condition.code = word;
        condition.text = slice_of("text");
        condition.advice = slice_of("advice");
        assert_int_not_equal(condition.kind, CONDITION_KIND_COUNT);
        ret_list->is_known[condition.kind] = true;
        if (is_unclear)
            ret_list->unclear[ret_list->n_unclear++] = condition;
        else
            ret_list->conditions[ret_list->n_conditions++] = condition;
    }
    condition_list_sort(ret_list);
}

static void print_notices(const struct notice *notices, size_t n, char text[static TEXT_SIZE])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, TEXT_SIZE - len, "%s%c%s:%.*s:%.*s", i > 0 ? " " : "",
                                notices[i].until_unix_s == 0 ? '+' : '-',
                                condition_kind_word(notices[i].condition.kind),
                                SLICE_ARG(notices[i].condition.domain),
                                SLICE_ARG(notices[i].condition.code));
}

/* What is on disk is all that a book is. */
static void book_restart(struct notice_book **book, int64_t now_unix_s)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    struct err err;

    notice_book_print(*book, out);
    fclose(out);
    notice_book_free(*book);
    assert_int_equal(notice_book_parse((struct slice){bytes, len}, now_unix_s, book, &err), 0);
    free(bytes);
}

static void book_go(const struct book_row *rows, size_t n_rows)
{
    struct notice_book *book = notice_book_new(&rules, START_S);

    for (size_t i = 0; i < n_rows; i++) {
        int64_t now_unix_s = START_S + rows[i].at_s;
        struct arena *arena = arena_new(0);
        struct condition_list list;
        struct notice *notices;
        char told[TEXT_SIZE];
        size_t n;

        list_of(rows[i].open, "check reload verdict", arena, &list);
        notice_book_take(book, &list, &rules, now_unix_s, has_domain, NULL);
        assert_false(notice_book_take(book, &list, &rules, now_unix_s, has_domain, NULL));
        n = notice_book_collect(book, &list, &rules, now_unix_s, arena, &notices);
        print_notices(notices, n, told);
        if (rows[i].told && strcmp(told, rows[i].told) != 0)
            fail_msg("row %zu: expected '%s', found '%s'", i, rows[i].told, told);
        if (rows[i].told)
            notice_book_accept(book, notices, n, now_unix_s);
        else
            assert_int_not_equal(n, 0);
        book_restart(&book, now_unix_s);
        arena_free(arena);
    }
    notice_book_free(book);
}

#define A "check:a.example:cert-name"
#define B "check:b.example:cert-name"

/* Once when it begins, not again while it lasts, once when it ends. */
static void test_once(void **state)
{
    static const struct book_row rows[] = {
        {0, "", ""},      {10, A, "+" A},         {20, A, ""},
        {5000, A, ""},    {5010, "", "-" A},      {5020, "", ""},
        {5030, A, "+" A}, {5040, A " " B, "+" B}, {5050, "", "-" A " -" B},
        {9000, "", ""},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* What the first look finds is not told, but its end is; another kind comes later. */
static void test_first_look(void **state)
{
    static const struct book_row rows[] = {
        {0, A, ""},
        {10, A, ""},
        {20, A " dns:a.example:txt-missing", ""},
        {30, A " dns:a.example:txt-missing dns:b.example:txt-missing",
         "+dns:b.example:txt-missing"},
        {40, "dns:a.example:txt-missing dns:b.example:txt-missing", "-" A},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* Within the cooldown nothing begins again; what has ended by its end was never told. */
static void test_cooldown(void **state)
{
    static const struct book_row rows[] = {
        {0, "", ""},
        {10, A, "+" A},
        {20, "", "-" A},
        {30, A, ""},
        {40, "", ""},
        {50, A, ""},
        {10 + COOLDOWN_S - 1, A, ""},
        {10 + COOLDOWN_S, A, "+" A},
        {20 + COOLDOWN_S, "", "-" A},
        {30 + 2 * COOLDOWN_S, "", ""},
        {40 + 2 * COOLDOWN_S, A, "+" A},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* What was not accepted is collected again, with what is true by then. */
static void test_not_accepted(void **state)
{
    static const struct book_row rows[] = {
        {0, "", ""},   {10, A, NULL},  {20, A " " B, NULL}, {30, A " " B, "+" A " +" B},
        {40, B, NULL}, {50, B, "-" A}, {60, "", NULL},      {70, B, ""},
        {80, A, NULL}, {90, B, ""},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* A domain that nobody could look at keeps what it has; one that has left is forgotten. */
static void test_unclear_and_gone(void **state)
{
    static const struct book_row rows[] = {
        {0, "", ""},
        {10, A " check:gone.example:cert-name", "+" A " +check:gone.example:cert-name"},
        {20, "?check:a.example", ""},
        {30, "", "-" A},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

#define VERDICT(code) "verdict:a.example:" code

/* Only what a verdict is now is told; a domain's first one is no change. */
static void test_verdict(void **state)
{
    static const struct book_row rows[] = {
        {0, VERDICT("no-data"), ""},
        {10, VERDICT("no-data") " verdict:b.example:ready", ""},
        {20, VERDICT("broken"), "+" VERDICT("broken")},
        {30, VERDICT("broken"), ""},
        {40, VERDICT("ready"), "+" VERDICT("ready")},
        {50, VERDICT("broken"), ""},
        {60, VERDICT("ready"), ""},
        {70, VERDICT("broken"), ""},
        {30 + COOLDOWN_S, VERDICT("broken"), "+" VERDICT("broken")},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* The daemon as a whole; what loses mail first comes first. */
static void test_order(void **state)
{
    static const struct book_row rows[] = {
        {0, "", ""},
        {10, A " reload::reload-refused", "+reload::reload-refused +" A},
        {20, B, "+" B " -reload::reload-refused -" A},
    };

    (void)state;
    book_go(rows, ARRAY_LEN(rows));
}

/* A clock that was ahead does not hold anything back for ever. */
static void test_clock_set_back(void **state)
{
    char text[256];
    struct notice_book *book;
    struct condition_list list;
    struct arena *arena = arena_new(0);
    struct notice *notices;
    struct err err;

    (void)state;
    snprintf(text, sizeof(text),
             "mta-stsd notices 1\ndigest\t9999999999\nseen\tcheck\n"
             "ended\tcheck\ta.example\tcert-name\t9999999999\t9999999999\t9999999999\tuntold\n");
    assert_int_equal(notice_book_parse(slice_of(text), START_S, &book, &err), 0);
    list_of(A, "check", arena, &list);
    notice_book_take(book, &list, &rules, START_S + COOLDOWN_S, has_domain, NULL);
    assert_int_equal(
        notice_book_collect(book, &list, &rules, START_S + COOLDOWN_S, arena, &notices), 1);
    notice_book_free(book);
    arena_free(arena);
}

static void test_digest(void **state)
{
    static const struct notice_rules daily = {.cooldown_s = COOLDOWN_S, .digest_s = 86400};
    struct notice_book *book = notice_book_new(&daily, START_S);
    struct arena *arena = arena_new(0);
    struct notice_digest digest;
    struct condition_list list;
    struct notice *notices;
    char text[TEXT_SIZE];
    size_t n;

    (void)state;
    list_of(A " " VERDICT("ready") " verdict:b.example:broken", "check", arena, &list);
    notice_book_take(book, &list, &daily, START_S, has_domain, NULL);
    assert_false(notice_book_is_digest_due(book, &daily, START_S + NOTICE_FIRST_DIGEST_S - 1));
    assert_false(notice_book_is_digest_due(book, &rules, START_S + NOTICE_FIRST_DIGEST_S));
    assert_true(notice_book_is_digest_due(book, &daily, START_S + NOTICE_FIRST_DIGEST_S));
    n = notice_book_sum_up(book, &list, arena, &notices, &digest);
    print_notices(notices, n, text);
    assert_string_equal(text, "+" A " +verdict:b.example:broken");
    assert_int_equal(digest.n_open, 2);
    assert_int_equal(digest.n_began, 2);
    assert_int_equal(digest.n_ended, 0);
    notice_book_accept_digest(book, &daily, START_S + NOTICE_FIRST_DIGEST_S + 5);
    assert_false(notice_book_is_digest_due(book, &daily, START_S + NOTICE_FIRST_DIGEST_S + 86399));
    list_of(B " " VERDICT("ready") " verdict:b.example:ready", "check", arena, &list);
    notice_book_take(book, &list, &daily, START_S + 9000, has_domain, NULL);
    n = notice_book_collect(book, &list, &daily, START_S + 9000, arena, &notices);
    notice_book_accept(book, notices, n, START_S + 9000);
    n = notice_book_sum_up(book, &list, arena, &notices, &digest);
    print_notices(notices, n, text);
    assert_string_equal(text, "+" B " +verdict:b.example:ready -" A);
    assert_int_equal(digest.n_open, 2);
    assert_int_equal(digest.n_began, 2);
    assert_int_equal(digest.n_ended, 1);
    notice_book_accept_digest(book, &daily, START_S + 100 * 86400);
    assert_false(notice_book_is_digest_due(book, &daily, START_S + 101 * 86400 - 1));
    assert_true(notice_book_is_digest_due(book, &daily, START_S + 101 * 86400));
    notice_book_free(book);
    arena_free(arena);
}

static void test_damaged(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "it is not a whole book of notices"},
        {"mta-stsd notices 1\n", "it is not a whole book of notices"},
        {"mta-stsd notices 2\ndigest\t0\n", "it is not a whole book of notices"},
        {"mta-stsd notices 1\ndigest\t0", "it is not a whole book of notices"},
        {"mta-stsd notices 1\ndigest\t-1\n", "line 2 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nseen\tchess\n", "line 3 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nopen\tcheck\ta\tb\t1\t0\t0\n", "line 3 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nopen\tcheck\ta\tb\t1\t0\t0\tsold\n", "line 3 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nopen\tcheck\ta\tb\t1\t1\t0\ttold\n", "line 3 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nended\tcheck\ta\tb\t1\t0\t0\ttold\n", "line 3 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nopen\tcheck\ta\tb\t1\t0\t0\ttold\n"
         "open\tcheck\ta\tb\t1\t0\t0\ttold\n",
         "line 4 is damaged"},
        {"mta-stsd notices 1\ndigest\t0\nopen\tcheck\ta\tb\t1\t0\t0\ttold\tmore\n",
         "line 3 is damaged"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct notice_book *book = NULL;
        struct err err;

        if (notice_book_parse(slice_of(rows[i].text), START_S, &book, &err) != -1 || book ||
            strcmp(err.msg, rows[i].message) != 0)
            fail_msg("row %zu: '%s'", i, err.msg);
    }
    notice_book_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_first_look),
        cmocka_unit_test(test_cooldown),
        cmocka_unit_test(test_not_accepted),
        cmocka_unit_test(test_unclear_and_gone),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
