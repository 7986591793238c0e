/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <getopt.h>

#include "cli/mode.h"
#include "lib/base/slice.h"

/*
 * Tables of this test instead of modes.c: more modes than the program is ever going to have, a mode
 * with any number of arguments, and options with and without a value.
 */
#define TEN(...)                                                                               \
    __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, \
        __VA_ARGS__, __VA_ARGS__, __VA_ARGS__

const struct mode modes[] = {
    {.name = "", .options = ~0U},
    {.name = "all", .letter = 'a', .n_needed = 1, .n_taken = SIZE_MAX, .options = ~0U},
    TEN(TEN(TEN({.name = "filler", .letter = 'f'}))),
    {.name = "last", .letter = 'l', .value_name = "VALUE"},
};
const size_t n_modes = ARRAY_LEN(modes);

const struct cli_option_row option_rows[OPTION_COUNT] = {
    [OPTION_CONFIG] = {"config", 'c', "FILE", "x"},
    [OPTION_JSON] = {"json", 'j', NULL, "x"},
    [OPTION_STRICT] = {"strict", '\0', NULL, "x"},
    [OPTION_NO_CERTIFICATES] = {"no-certificates", '\0', NULL, "x"},
    [OPTION_DOMAIN] = {"domain", 'd', "DOMAIN", "x"},
    [OPTION_SIDE] = {"side", 's', "SIDE", "x"},
    [OPTION_OUTPUT] = {"output", 'o', "DIR", "x"},
    [OPTION_TLS_RPT] = {"tls-rpt", '\0', NULL, "x"},
    [OPTION_FORCE] = {"force", '\0', NULL, "x"},
    [OPTION_SERVED] = {"served", '\0', NULL, "x"},
};

enum {
    WORDS_MAX = 16,
};

/* A command line and what is made of it, which points into it. */
struct parsed_line {
    char words[64];
    char *argv[WORDS_MAX + 2];
    struct options options;
};

/* Parses `line`, cut at its spaces. */
static int parsed_line_init(struct parsed_line *parsed, const char *line)
{
    char *rest = parsed->words, *word;
    int argc = 0;

    *parsed = (struct parsed_line){0};
    snprintf(parsed->words, sizeof(parsed->words), "mta-stsd %s", line);
    while ((word = strsep(&rest, " ")) && argc <= WORDS_MAX)
        parsed->argv[argc++] = word;
    optind = 0; /* so that getopt_long() starts anew */
    return options_parse(argc, parsed->argv, &parsed->options);
}

static void test_modes(void **state)
{
    static const struct {
        const char *line, *want; /* the mode; NULL: refused */
    } rows[] = {
        {"--last", "last"}, {"-l", "last"},     {"--last=x", "last"},    {"-a x", "all"},
        {"--all x", "all"}, {"--all", NULL},    {"--all --last", NULL},  {"--nothing", NULL},
        {"-z", NULL},       {"--last x", NULL}, {"--last --json", NULL}, {"-c", NULL},
        {"--json=x", NULL}, {"-j", ""},         {"-j -c x", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parsed_line parsed;
        int result = parsed_line_init(&parsed, rows[i].line);

        if ((result == 0) != (rows[i].want != NULL) ||
            (rows[i].want && strcmp(parsed.options.mode->name, rows[i].want) != 0))
            fail_msg("row %zu, %s: wanted mode %s, saw %d and %s", i, rows[i].line,
                     rows[i].want ? rows[i].want : "none", result, parsed.options.mode->name);
        options_done(&parsed.options);
    }
}

static void test_options_and_arguments(void **state)
{
    struct parsed_line parsed;
    const struct options *options = &parsed.options;

    (void)state;
    assert_int_equal(parsed_line_init(&parsed, "-a 1 -j 2 -c file 3 -d x --domain=y 4"), 0);
    assert_true(options->json);
    assert_false(options->strict);
    assert_string_equal(options->config_path, "file");
    assert_int_equal(options->n_domains, 2);
    assert_string_equal(options->domains[0], "x");
    assert_string_equal(options->domains[1], "y");
    assert_int_equal(options->n_arguments, 4);
    for (size_t i = 0; i < options->n_arguments; i++)
        assert_int_equal(options->arguments[i][0], '1' + (int)i);
    options_done(&parsed.options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_options_and_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
