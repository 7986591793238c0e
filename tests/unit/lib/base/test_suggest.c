/* SPDX-License-Identifier: MIT */
#include "lib/base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void test_word(void **state)
{
    static const char *const words[] = {
        "mode", "mx", "max_age", "tls_rpt", "policy_host", "report_host", SIXTY "klm", SIXTY "klmn",
    };
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"", NULL},
        {"mode", "mode"},
        {"MODE", "mode"},
        {"mod", "mode"},   /* one to add */
        {"modee", "mode"}, /* one to drop */
        {"mods", "mode"},  /* one to change */
        {"mdoe", "mode"},  /* one swap */
        {"mdeo", NULL},    /* two of four letters */
        {"m", NULL},       /* one of two is more than a third */
        {"my", NULL},
        {"maxage", "max_age"},
        {"max-ages", "max_age"}, /* two of seven */
        {"maks-ages", NULL},     /* four */
        {"policyhos", "policy_host"},
        {"polcyhos", "policy_host"}, /* three of eleven */
        {"plcyhos", NULL},           /* four of eleven */
        {"zzzzzz", NULL},
        {"m\xc3\xb6"
         "de",
         NULL},
        {SIXTY "klm", SIXTY "klm"}, /* 63 bytes */
        {SIXTY "klmn", NULL},       /* 64 bytes, even one that is in the list */
        {SIXTY "kl", SIXTY "klm"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *seen = suggest_word(slice_of(rows[i].word), words, ARRAY_LEN(words));
        const char *want = rows[i].want;

        if (want ? !seen || strcmp(seen, want) != 0 : seen != NULL)
            fail_msg("row %zu: wanted %s, saw %s", i, want ? want : "none", seen ? seen : "none");
    }
}

static void test_first_of_equals(void **state)
{
    static const char *const words[] = {"cart", "card", "care"};

    (void)state;
    assert_string_equal(suggest_word(slice_of("carx"), words, ARRAY_LEN(words)), "cart");
    assert_string_equal(suggest_word(slice_of("cared"), words, ARRAY_LEN(words)), "card");
    assert_string_equal(suggest_word(slice_of("care"), words, ARRAY_LEN(words)), "care");
    assert_null(suggest_word(slice_of("card"), words, 0));
    assert_null(suggest_word((struct slice){"ca\0rd", 5}, words + 2, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word),
        cmocka_unit_test(test_first_of_equals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
