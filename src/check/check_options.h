/* SPDX-License-Identifier: MIT */
/**
 * The command line of mta-stsd-check.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum check_mode {
    CHECK_MODE_CHECK,
    CHECK_MODE_DIFF_DNS,
    CHECK_MODE_ACME_READY,
    CHECK_MODE_LIST,
    CHECK_MODE_HELP,
    CHECK_MODE_VERSION,
};

struct dns_format;

/** What the command line says. All texts are those of argv. */
struct check_options {
    enum check_mode mode;
    const struct dns_format *dns_format; /* of CHECK_MODE_DIFF_DNS */
    char **domains;                      /* in argv, as written; hosts with ACME_READY */
    size_t n_domains;
    const char *config_path; /* NULL: the default one, if it exists */
    bool has_json, has_nagios, has_tlsa, is_quiet, allow_private, skips_smtp;
    size_t n_jobs;
    uint64_t timeout_s;
    const char *dns_server, *dns_config, *ca_file, *helo, *metrics_path; /* NULL: not given */
};

/** Reads the command line. Returns 0, or -1 after printing what is wrong on standard error. */
int check_options_parse(int argc, char **argv, struct check_options *ret_options);

/** Prints --help on standard output. */
void check_options_print_help(void);
