/* SPDX-License-Identifier: MIT */
/**
 * The command line of mta-stsd-reports.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reports_mode {
    REPORTS_MODE_SHOW,
    REPORTS_MODE_IMPORT,
    REPORTS_MODE_SPOOL,
    REPORTS_MODE_SITE,
    REPORTS_MODE_CONDITIONS,
    REPORTS_MODE_HELP,
    REPORTS_MODE_VERSION,
};

/** What the command line says. All texts are those of argv. */
struct reports_options {
    enum reports_mode mode;
    char **arguments; /* domains or files, in argv, as written */
    size_t n_arguments;
    const char *config_path;
    const char *site;       /* the folder of REPORTS_MODE_SITE */
    const char *conditions; /* the file of REPORTS_MODE_CONDITIONS */
    uint64_t days;
    bool has_json, has_failures, has_raw;
};

/** Reads the command line. Returns 0, or -1 after printing what is wrong on standard error. */
int reports_options_parse(int argc, char **argv, struct reports_options *ret_options);

/** Prints --help on standard output. */
void reports_options_print_help(void);
