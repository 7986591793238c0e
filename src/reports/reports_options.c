/* SPDX-License-Identifier: MIT */
#include "reports/reports_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/slice.h"
#include "lib/base/suggest.h"
#include "lib/config/load.h"

enum {
    DAYS_DEFAULT = 30,
    DAYS_MAX = 400,
};

/* getopt_long()'s codes; above those of letters. */
enum reports_option {
    REPORTS_OPT_SHOW = 256,
    REPORTS_OPT_IMPORT,
    REPORTS_OPT_SPOOL,
    REPORTS_OPT_SITE,
    REPORTS_OPT_CONDITIONS,
    REPORTS_OPT_VERSION,
    REPORTS_OPT_HELP,
    REPORTS_OPT_CONFIG,
    REPORTS_OPT_DAYS,
    REPORTS_OPT_FAILURES,
    REPORTS_OPT_RAW,
    REPORTS_OPT_JSON,
};

struct reports_option_row {
    enum reports_option code;
    const char *name;
    const char *value_name; /* NULL: takes no value */
    const char *what;
};

static const struct reports_option_row reports_rows[] = {
    {REPORTS_OPT_SHOW, "reports", NULL,
     "say of the domains named, or of all, whether mode enforce is safe, and what was reported"},
    {REPORTS_OPT_IMPORT, "import-report", NULL,
     "take in the files, mailboxes and folders named, or one mail from standard input"},
    {REPORTS_OPT_SPOOL, "spool", NULL, "take in what the daemon received; it runs this itself"},
    {REPORTS_OPT_SITE, "site", "DIR",
     "write a static site of all domains into a folder of its own; the daemon runs this itself"},
    {REPORTS_OPT_CONDITIONS, "conditions", "FILE",
     "list what notify may have to tell; the daemon runs this itself"},
    {REPORTS_OPT_VERSION, "version", NULL, "the version"},
    {REPORTS_OPT_HELP, "help", NULL, "this text"},
    {REPORTS_OPT_CONFIG, "config", "FILE", "the configuration [" CONFIG_DEFAULT_PATH "]"},
    {REPORTS_OPT_DAYS, "days", "NUMBER", "days that --reports and --site show [30]"},
    {REPORTS_OPT_FAILURES, "failures", NULL, "show only domains with failures"},
    {REPORTS_OPT_RAW, "raw", NULL,
     "print the reports themselves, as JSON; without a domain, those that are kept aside"},
    {REPORTS_OPT_JSON, "json", NULL, "print JSON"},
};

enum { N_REPORTS_ROWS = ARRAY_LEN(reports_rows) };

static int reports_options_fail(const char *argument, const char *why)
{
    fprintf(stderr, "mta-stsd-reports: %s %s; see --help\n", argument, why);
    return -1;
}

static int reports_options_set_days(struct reports_options *options)
{
    if (slice_to_u64(slice_of(optarg), DAYS_MAX, &options->days) == 0 && options->days > 0)
        return 0;
    fprintf(stderr, "mta-stsd-reports: --days: expected a number from 1 to %d, found '%s'\n",
            DAYS_MAX, optarg);
    return -1;
}

static int reports_options_set(struct reports_options *options, enum reports_option code)
{
    switch (code) {
    case REPORTS_OPT_SHOW:
        options->mode = REPORTS_MODE_SHOW;
        break;
    case REPORTS_OPT_IMPORT:
        options->mode = REPORTS_MODE_IMPORT;
        break;
    case REPORTS_OPT_SPOOL:
        options->mode = REPORTS_MODE_SPOOL;
        break;
    case REPORTS_OPT_SITE:
        options->mode = REPORTS_MODE_SITE;
        options->site = optarg;
        break;
    case REPORTS_OPT_CONDITIONS:
        options->mode = REPORTS_MODE_CONDITIONS;
        options->conditions = optarg;
        break;
    case REPORTS_OPT_VERSION:
        options->mode = REPORTS_MODE_VERSION;
        break;
    case REPORTS_OPT_HELP:
        options->mode = REPORTS_MODE_HELP;
        break;
    case REPORTS_OPT_CONFIG:
        options->config_path = optarg;
        break;
    case REPORTS_OPT_DAYS:
        return reports_options_set_days(options);
    case REPORTS_OPT_FAILURES:
        options->has_failures = true;
        break;
    case REPORTS_OPT_RAW:
        options->has_raw = true;
        break;
    case REPORTS_OPT_JSON:
        options->has_json = true;
        break;
    }
    return 0;
}

static int reports_options_report_unknown(const char *argument)
{
    const char *names[N_REPORTS_ROWS], *nearest;
    struct slice name = slice_of(argument + strspn(argument, "-"));

    for (size_t i = 0; i < N_REPORTS_ROWS; i++)
        names[i] = reports_rows[i].name;
    nearest = suggest_word(slice_range(name, 0, slice_find_byte(name, '=')), names, N_REPORTS_ROWS);
    if (!nearest)
        return reports_options_fail(argument, "is not an option");
    fprintf(stderr, "mta-stsd-reports: %s is not an option; did you mean --%s?\n", argument,
            nearest);
    return -1;
}

static int reports_options_check(const struct reports_options *options)
{
    bool shows = options->has_json || options->has_failures || options->has_raw;

    if (shows && options->mode != REPORTS_MODE_SHOW)
        return reports_options_fail("--json, --failures and --raw", "go with --reports");
    if (options->has_raw && options->has_failures)
        return reports_options_fail("--raw and --failures", "do not go together");
    if (options->has_raw && options->n_arguments > 1)
        return reports_options_fail(options->arguments[1], "is one argument too many for --raw");
    if (options->n_arguments > 0 && options->mode != REPORTS_MODE_SHOW &&
        options->mode != REPORTS_MODE_IMPORT)
        return reports_options_fail(options->arguments[0], "is one argument too many");
    return 0;
}

int reports_options_parse(int argc, char **argv, struct reports_options *ret_options)
{
    struct option rows[N_REPORTS_ROWS + 1] = {{0}};
    int code;

    for (size_t i = 0; i < N_REPORTS_ROWS; i++)
        rows[i] = (struct option){reports_rows[i].name,
                                  reports_rows[i].value_name ? required_argument : no_argument,
                                  NULL, (int)reports_rows[i].code};
    *ret_options =
        (struct reports_options){.config_path = CONFIG_DEFAULT_PATH, .days = DAYS_DEFAULT};
    while ((code = getopt_long(argc, argv, ":c:", rows, NULL)) != -1) {
        if (code == '?')
            return reports_options_report_unknown(argv[optind - 1]);
        if (code == ':')
            return reports_options_fail(argv[optind - 1], "needs a value");
        if (reports_options_set(ret_options,
                                code == 'c' ? REPORTS_OPT_CONFIG : (enum reports_option)code) != 0)
            return -1;
    }
    ret_options->arguments = argv + optind;
    ret_options->n_arguments = (size_t)(argc - optind);
    return reports_options_check(ret_options);
}

void reports_options_print_help(void)
{
    char left[64];

    puts("Usage: mta-stsd --reports [OPTION...] [DOMAIN...]\n"
         "       mta-stsd --import-report [OPTION...] [FILE...]\n"
         "       mta-stsd --site [OPTION...] DIR\n\n"
         "Takes in TLS reports (RFC 8460), and says by them whether mode enforce would lose "
         "mail.\n");
    for (size_t i = 0; i < N_REPORTS_ROWS; i++) {
        const struct reports_option_row *row = &reports_rows[i];

        snprintf(left, sizeof(left), "%s--%s%s%s",
                 row->code == REPORTS_OPT_CONFIG ? "-c, " : "    ", row->name,
                 row->value_name ? " " : "", row->value_name ? row->value_name : "");
        printf("  %-20s %s\n", left, row->what);
    }
    puts(
        "\nExit status: 0 good, 1 a domain is BROKEN or a file could not be used, 2 usage or "
        "configuration, 3 could not run. A mail on standard input: 0 taken or ordinary mail, 65 no "
        "mail, 75 to be tried again.");
}
