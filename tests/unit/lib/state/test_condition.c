/* SPDX-License-Identifier: MIT */
#include "lib/state/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define HEAD "mta-stsd conditions 1\n"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* What is printed is parsed again, sorted; a stranger's text is on one line. */
static void test_round(void **state)
{
    const struct condition later = {.kind = CONDITION_CHECK,
                                    .domain = slice_of("b.example"),
                                    .code = slice_of("cert-name"),
                                    .text = slice_of("a\tb\nopen\x7f"),
                                    .advice = slice_of("")};
    const struct condition earlier = {.kind = CONDITION_DNS,
                                      .domain = slice_of("c.example"),
                                      .code = slice_of("txt-missing"),
                                      .text = slice_of("text"),
                                      .advice = slice_of("advice")};
    struct condition_list list;
    char *bytes = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&bytes, &len);
    struct err err;

    (void)state;
    condition_print_head(out);
    condition_print_known(CONDITION_CHECK, out);
    condition_print(&later, out);
    condition_print(&later, out);
    condition_print(&earlier, out);
    condition_print_unclear(CONDITION_CHECK, slice_of("a.example"), out);
    condition_print_recheck(1700000000, out);
    fclose(out);
    assert_int_equal(condition_list_parse((struct slice){bytes, len}, arena, &list, &err), 0);
    assert_int_equal(list.n_conditions, 2);
    assert_int_equal(condition_compare(&list.conditions[0], &earlier), 0);
    assert_int_equal(condition_compare(&list.conditions[1], &later), 0);
    assert_true(slice_eq_text(list.conditions[0].advice, "advice"));
    assert_true(slice_eq_text(list.conditions[1].text, "a b open "));
    assert_true(slice_eq_text(list.conditions[1].advice, ""));
    assert_true(list.is_known[CONDITION_CHECK]);
    assert_false(list.is_known[CONDITION_DNS]);
    assert_true(condition_list_is_unclear(&list, CONDITION_CHECK, slice_of("a.example")));
    assert_false(condition_list_is_unclear(&list, CONDITION_DNS, slice_of("a.example")));
    assert_int_equal(list.recheck_unix_s, 1700000000);
    free(bytes);
}

static void test_damaged(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "it is not a whole list of conditions"},
        {HEAD "known\tcheck", "it is not a whole list of conditions"},
        {"mta-stsd conditions 2\n", "it is not a whole list of conditions"},
        {HEAD "known\tcheck\nknown\tchess\n", "line 3 is damaged"},
        {HEAD "known\n", "line 2 is damaged"},
        {HEAD "known\tcheck\tdns\n", "line 2 is damaged"},
        {HEAD "unclear\tcheck\n", "line 2 is damaged"},
        {HEAD "recheck\tnow\n", "line 2 is damaged"},
        {HEAD "open\tcheck\ta.example\tcode\ttext\n", "line 2 is damaged"},
        {HEAD "shut\tcheck\ta.example\tcode\ttext\tadvice\n", "line 2 is damaged"},
        {HEAD "\n", "line 2 is damaged"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct condition_list list = {.recheck_unix_s = 7};
        struct err err;

        if (condition_list_parse(slice_of(rows[i].text), arena, &list, &err) != -1 ||
            strcmp(err.msg, rows[i].message) != 0 || list.recheck_unix_s != 7)
            fail_msg("row %zu: '%s'", i, err.msg);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < CONDITION_KIND_COUNT; i++)
        assert_int_equal(condition_kind_find(slice_of(condition_kind_word((enum condition_kind)i))),
                         i);
    assert_int_equal(condition_kind_find(slice_of("")), CONDITION_KIND_COUNT);
}

static void test_file(void **state)
{
    char directory[] = "/tmp/condition-XXXXXX", path[64];
    struct condition_list list;
    struct err err;
    FILE *out;

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(condition_list_read(directory, arena, &list, &err), 0);
    assert_int_equal(list.n_conditions, 0);
    assert_false(list.is_known[CONDITION_CHECK]);
    snprintf(path, sizeof(path), "%s/" CONDITIONS_FILE, directory);
    out = fopen(path, "we");
    fputs(HEAD "known\tcheck\nrubbish\n", out);
    fclose(out);
    assert_int_equal(condition_list_read(directory, arena, &list, &err), -1);
    assert_non_null(strstr(err.msg, "/" CONDITIONS_FILE "': line 3 is damaged"));
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test(test_words),
        cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
