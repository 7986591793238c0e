/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/base/suggest.h"
#include "lib/config/load.h"

/* What getopt_long() returns: a letter, the code of an option or, above these, that of a mode. */
enum {
    CODE_OPTION = 256,
    CODE_MODE = CODE_OPTION + OPTION_COUNT,
};

static_assert(OPTION_COUNT <= sizeof(unsigned) * CHAR_BIT, "a mode's options are bits");

enum exit_status cli_fail(enum exit_status status, const char *format, ...)
{
    va_list arguments;

    fputs("mta-stsd: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return status;
}

/* getopt_long()'s two tables, allocated for as many rows as there are modes and options. */
struct getopt_tables {
    struct option *rows;
    char *letters;
};

static void getopt_tables_free(struct getopt_tables *tables)
{
    free(tables->rows);
    free(tables->letters);
}

/* The first mode has no name, so its row is free for the one of zeros at the end. */
static struct getopt_tables getopt_tables_make(void)
{
    struct getopt_tables tables = {
        .rows = memory_resize(NULL, n_modes + OPTION_COUNT, sizeof(*tables.rows)),
        .letters = memory_resize(NULL, n_modes + OPTION_COUNT + 1, strlen("x:")),
    };
    char *letter = tables.letters;
    size_t n = 0;

    *letter++ = ':';
    for (size_t i = 1; i < n_modes; i++) {
        tables.rows[n++] =
            (struct option){modes[i].name, modes[i].value_name ? optional_argument : no_argument,
                            NULL, CODE_MODE + (int)i};
        if (modes[i].letter != '\0')
            *letter++ = modes[i].letter;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option_row *row = &option_rows[i];

        tables.rows[n++] =
            (struct option){row->name, row->value_name ? required_argument : no_argument, NULL,
                            CODE_OPTION + (int)i};
        if (row->letter != '\0')
            *letter++ = row->letter;
        if (row->letter != '\0' && row->value_name)
            *letter++ = ':';
    }
    tables.rows[n] = (struct option){0};
    *letter = '\0';
    return tables;
}

/* The code of the mode or option with this letter. */
static int options_code_of_letter(int code)
{
    for (size_t i = 1; i < n_modes; i++)
        if (modes[i].letter == code)
            return CODE_MODE + (int)i;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].letter == code)
            return CODE_OPTION + (int)i;
    return code;
}

static int options_set_mode(struct options *options, const struct mode *mode)
{
    if (options->mode != &modes[0]) {
        cli_fail(STATUS_USAGE, "--%s and --%s do not go together", options->mode->name, mode->name);
        return -1;
    }
    options->mode = mode;
    options->value = optarg;
    return 0;
}

static void options_set_option(struct options *options, enum cli_option option)
{
    switch (option) {
    case OPTION_CONFIG:
        options->config_path = optarg;
        break;
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_STRICT:
        options->strict = true;
        break;
    case OPTION_NO_CERTIFICATES:
        options->no_certificates = true;
        break;
    case OPTION_DOMAIN:
        options->domains =
            memory_resize(options->domains, options->n_domains + 1, sizeof(*options->domains));
        options->domains[options->n_domains++] = optarg;
        break;
    case OPTION_SIDE:
        options->side = optarg;
        break;
    case OPTION_OUTPUT:
        options->output = optarg;
        break;
    case OPTION_TLS_RPT:
        options->tls_rpt = true;
        break;
    case OPTION_FORCE:
        options->force = true;
        break;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        break;
    case OPTION_SERVED:
        options->served = true;
        break;
    case OPTION_COUNT:
        break;
    }
}

/* Names what getopt_long() refused: a letter in optopt, or else the whole argument. */
static void options_report_unknown(const char *argument)
{
    const char **names, *nearest;
    const char *name = argument + strspn(argument, "-");
    size_t n = 0;

    if (optopt > 0 && optopt < CODE_OPTION) {
        cli_fail(STATUS_USAGE, "-%c is not an option; see --help", optopt);
        return;
    }
    names = memory_resize(NULL, n_modes + OPTION_COUNT, sizeof(*names));
    for (size_t i = 1; i < n_modes; i++)
        names[n++] = modes[i].name;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[n++] = option_rows[i].name;
    nearest = suggest_word(slice_range(slice_of(name), 0, strcspn(name, "=")), names, n);
    if (nearest)
        cli_fail(STATUS_USAGE, "%s is not an option; did you mean --%s?", argument, nearest);
    else
        cli_fail(STATUS_USAGE, "%s is not an option; see --help", argument);
    free(names);
}

static int options_check_fit(const struct options *options, unsigned given)
{
    const struct mode *mode = options->mode;
    bool serves = mode->name[0] == '\0';

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((given & (1U << i)) == 0 || (mode->options & (1U << i)) != 0)
            continue;
        /* "--print-dns --json": a format is the mode's value. */
        if (i == OPTION_JSON && mode->value_name && !options->value)
            cli_fail(STATUS_USAGE, "--json does not go with --%s; did you mean --%s=json?",
                     mode->name, mode->name);
        else
            cli_fail(STATUS_USAGE, "--%s does not go with %s%s", option_rows[i].name,
                     serves ? "serving; give a command, see --help" : "--", mode->name);
        return -1;
    }
    if (options->n_arguments >= mode->n_needed)
        return 0;
    cli_fail(STATUS_USAGE, "--%s needs %s", mode->name, mode->arguments);
    return -1;
}

/* Other programs take `--print-dns zone` and `test-config`: suggest what we take instead. */
static void options_report_surplus(const struct mode *mode, const char *argument)
{
    const char *surplus = "is one argument too many";

    for (size_t i = 1; i < n_modes; i++) {
        if (strcmp(modes[i].name, argument) != 0)
            continue;
        cli_fail(STATUS_USAGE, "'%s' %s; did you mean --%s?", argument, surplus, argument);
        return;
    }
    if ((mode->options & (1U << OPTION_CONFIG)) != 0 &&
        (strchr(argument, '/') || slice_ends_with(slice_of(argument), ".yaml") ||
         slice_ends_with(slice_of(argument), ".yml")))
        cli_fail(STATUS_USAGE, "'%s' %s; did you mean --config %s?", argument, surplus, argument);
    else if (mode->value_name)
        cli_fail(STATUS_USAGE, "'%s' %s; did you mean --%s=%s?", argument, surplus, mode->name,
                 argument);
    else
        cli_fail(STATUS_USAGE, "'%s' %s; see --help", argument, surplus);
}

static int options_take_code(struct options *options, int code, const char *argument)
{
    if (code == '?') {
        options_report_unknown(argument);
        return -1;
    }
    if (code == ':') {
        cli_fail(STATUS_USAGE, "%s needs a value; see --help", argument);
        return -1;
    }
    if (code >= CODE_MODE)
        return options_set_mode(options, &modes[code - CODE_MODE]);
    options_set_option(options, (enum cli_option)(code - CODE_OPTION));
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    struct getopt_tables tables = getopt_tables_make();
    unsigned given = 0;
    int code, result = 0;

    *ret_options = (struct options){.mode = &modes[0], .config_path = CONFIG_DEFAULT_PATH};
    while (result == 0 &&
           (code = getopt_long(argc, argv, tables.letters, tables.rows, NULL)) != -1) {
        code = options_code_of_letter(code);
        result = options_take_code(ret_options, code, argv[optind - 1]);
        if (code >= CODE_OPTION && code < CODE_MODE)
            given |= 1U << (code - CODE_OPTION);
    }
    getopt_tables_free(&tables);
    if (result != 0)
        return -1;
    ret_options->arguments = argv + optind;
    ret_options->n_arguments = (size_t)(argc - optind);
    if (ret_options->n_arguments > ret_options->mode->n_taken) {
        options_report_surplus(ret_options->mode,
                               argv[(size_t)optind + ret_options->mode->n_taken]);
        return -1;
    }
    return options_check_fit(ret_options, given);
}

void options_done(struct options *options)
{
    free(options->domains);
}
