/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

#include "cli/mode.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/base/suggest.h"

enum {
    LONG_MAX_ROWS = 32,
    CODE_MODE = 256,   /* getopt's value of the first mode; letters lie below */
    CODE_OPTION = 512, /* and of the first option */
};

#define DEFAULT_CONFIG "/etc/mta-stsd/mta-stsd.yaml"

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

/* getopt's tables, made from ours. The first mode has no name and is no option. */
static void make_tables(struct option long_rows[LONG_MAX_ROWS], char letters[LONG_MAX_ROWS * 2])
{
    size_t n = 0;

    *letters++ = ':';
    for (size_t i = 1; i < n_modes; i++) {
        long_rows[n++] =
            (struct option){modes[i].name, modes[i].value_name ? optional_argument : no_argument,
                            NULL, CODE_MODE + (int)i};
        if (modes[i].letter != '\0')
            *letters++ = modes[i].letter;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option_row *row = &option_rows[i];

        long_rows[n++] =
            (struct option){row->name, row->value_name ? required_argument : no_argument, NULL,
                            CODE_OPTION + (int)i};
        if (row->letter != '\0') {
            *letters++ = row->letter;
            *letters++ = ':';
        }
    }
    long_rows[n] = (struct option){0};
    *letters = '\0';
}

/* A letter's long form. */
static int code_of_letter(int code)
{
    for (size_t i = 1; i < n_modes; i++)
        if (modes[i].letter == code)
            return CODE_MODE + (int)i;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].letter == code)
            return CODE_OPTION + (int)i;
    return code;
}

static int set_mode(struct options *options, const struct mode *mode)
{
    if (options->mode != &modes[0]) {
        cli_fail(STATUS_USAGE, "--%s and --%s do not go together", options->mode->name, mode->name);
        return -1;
    }
    options->mode = mode;
    options->value = optarg;
    return 0;
}

static void set_option(struct options *options, enum cli_option option)
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
    case OPTION_SERVED:
        options->served = true;
        break;
    case OPTION_COUNT:
        break;
    }
}

/* What getopt_long() has stumbled over: a letter in optopt, or else the whole argument. */
static void report_unknown(const char *argument)
{
    const char *names[LONG_MAX_ROWS], *nearest;
    const char *name = argument + strspn(argument, "-");
    size_t n = 0;

    if (optopt > 0 && optopt < CODE_MODE) {
        cli_fail(STATUS_USAGE, "-%c is not an option; see --help", optopt);
        return;
    }
    for (size_t i = 1; i < n_modes; i++)
        names[n++] = modes[i].name;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[n++] = option_rows[i].name;
    nearest = nearest_word(slice_range(slice_of(name), 0, strcspn(name, "=")), names, n);
    if (nearest)
        cli_fail(STATUS_USAGE, "%s is not an option; did you mean --%s?", argument, nearest);
    else
        cli_fail(STATUS_USAGE, "%s is not an option; see --help", argument);
}

static int check_fit(const struct options *options, unsigned given)
{
    const struct mode *mode = options->mode;
    bool serves = mode->name[0] == '\0';

    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((given & (1U << i)) == 0 || (mode->options & (1U << i)) != 0)
            continue;
        cli_fail(STATUS_USAGE, "--%s does not go with %s%s", option_rows[i].name,
                 serves ? "serving; give a mode, see --help" : "--", mode->name);
        return -1;
    }
    if (options->n_arguments >= mode->n_needed)
        return 0;
    cli_fail(STATUS_USAGE, "--%s needs %s", mode->name, mode->arguments);
    return -1;
}

/* `--print-dns zone` and `test-config` are what other programs take. */
static void report_surplus(const struct mode *mode, const char *argument)
{
    const char *surplus = "is one argument too many";

    for (size_t i = 1; i < n_modes; i++) {
        if (strcmp(modes[i].name, argument) != 0)
            continue;
        cli_fail(STATUS_USAGE, "'%s' %s; did you mean --%s?", argument, surplus, argument);
        return;
    }
    if (mode->value_name)
        cli_fail(STATUS_USAGE, "'%s' %s; did you mean --%s=%s?", argument, surplus, mode->name,
                 argument);
    else
        cli_fail(STATUS_USAGE, "'%s' %s; see --help", argument, surplus);
}

static int take_arguments(struct options *options, int argc, char **argv)
{
    for (int i = optind; i < argc; i++) {
        if (options->n_arguments == options->mode->n_taken) {
            report_surplus(options->mode, argv[i]);
            return -1;
        }
        options->arguments[options->n_arguments++] = argv[i];
    }
    return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options)
{
    struct option long_rows[LONG_MAX_ROWS];
    char letters[LONG_MAX_ROWS * 2];
    unsigned given = 0;
    int code;

    *ret_options = (struct options){.mode = &modes[0], .config_path = DEFAULT_CONFIG};
    make_tables(long_rows, letters);
    while ((code = getopt_long(argc, argv, letters, long_rows, NULL)) != -1) {
        code = code_of_letter(code);
        if (code == '?') {
            report_unknown(argv[optind - 1]);
            return -1;
        }
        if (code == ':') {
            cli_fail(STATUS_USAGE, "%s needs a value; see --help", argv[optind - 1]);
            return -1;
        }
        if (code >= CODE_OPTION) {
            set_option(ret_options, (enum cli_option)(code - CODE_OPTION));
            given |= 1U << (code - CODE_OPTION);
        } else if (set_mode(ret_options, &modes[code - CODE_MODE]) != 0) {
            return -1;
        }
    }
    if (take_arguments(ret_options, argc, argv) != 0)
        return -1;
    return check_fit(ret_options, given);
}

void options_done(struct options *options)
{
    free(options->domains);
}
