/* SPDX-License-Identifier: MIT */
/**
 * Modes and options: the rows behind the command line, --help and the manual.
 *
 * A mode is a row in modes.c and a function in a mode_*.c. It prints its result on standard output
 * and what is wrong on standard error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag/exit_status.h"

struct cert_store;
struct config;
struct dns_format;
struct ledger;
struct mode;

enum cli_option {
    OPTION_CONFIG,
    OPTION_JSON,
    OPTION_STRICT,
    OPTION_NO_CERTIFICATES,
    OPTION_DOMAIN,
    OPTION_SIDE,
    OPTION_OUTPUT,
    OPTION_TLS_RPT,
    OPTION_FORCE,
    OPTION_DRY_RUN,
    OPTION_SERVED,
    OPTION_COUNT,
};

/** What the command line says. All texts are those of argv. */
struct options {
    const struct mode *mode;
    const char *value; /* of --mode=VALUE, for a mode that takes one; or NULL */
    char **arguments;  /* in argv, after the options */
    size_t n_arguments;
    const char *config_path;
    bool json, strict, no_certificates, tls_rpt, force, dry_run, served;
    const char **domains; /* --domain, as written */
    size_t n_domains;
    const char *side;   /* NULL: both */
    const char *output; /* NULL: standard output */
};

struct mode {
    const char *name;         /* of the option, without the dashes; "": no mode is named */
    char letter;              /* or '\0' */
    const char *value_name;   /* of --mode=VALUE; NULL: takes no value */
    const char *arguments;    /* for --help: "DOMAIN HOST" */
    size_t n_needed, n_taken; /* arguments */
    unsigned options;         /* that the mode takes, a bit for each */
    const char *what;
    const char *program; /* that has the mode, beside this one (cli/become.h); NULL: this one */
    enum exit_status (*run)(const struct options *options);
};

/** All modes, the one that serves first. */
extern const struct mode modes[];
extern const size_t n_modes;

struct cli_option_row {
    const char *name;
    char letter;            /* or '\0' */
    const char *value_name; /* NULL: takes no value */
    const char *what;
};

extern const struct cli_option_row option_rows[OPTION_COUNT];

/** Reads the command line. Returns 0, or -1 after printing what is wrong on standard error. */
int options_parse(int argc, char **argv, struct options *ret_options);

/** Frees what options_parse() allocated. */
void options_done(struct options *options);

/**
 * Loads the configuration and prints what is wrong with it on standard error: errors, with --strict
 * warnings too.
 *
 * ret_config  one reference
 * Returns STATUS_GOOD; STATUS_FINDINGS where --strict found warnings, *ret_config is set then too;
 * or STATUS_USAGE.
 */
enum exit_status cli_load(const struct options *options, struct config **ret_config);

/** Finds the domain that the user names; NULL after an error on standard error. */
const struct domain *cli_find_domain(const struct config *config, const char *name);

/**
 * Loads the configuration and finds the domain in the first argument, which must have a policy.
 *
 * ret_config  one reference, set only with STATUS_GOOD
 * Returns STATUS_GOOD, or another status after printing what is wrong on standard error.
 */
enum exit_status cli_load_policy(const struct options *options, struct config **ret_config,
                                 const struct domain **ret_domain);

/**
 * Reads the ledger in `state:`, and says on standard error if a line of it is damaged.
 *
 * domain      read only the lines of this one; NULL: all
 * ret_ledger  stays NULL without `state:`
 * Returns STATUS_GOOD, or STATUS_FAILED after printing why on standard error.
 */
enum exit_status cli_read_ledger(const struct config *config, const char *domain,
                                 struct ledger **ret_ledger);

/** Prints "mta-stsd: ..." on standard error and returns `status`. */
enum exit_status cli_fail(enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The modes' functions, one file each. */
enum exit_status mode_serve(const struct options *options);
enum exit_status mode_test_config(const struct options *options);
enum exit_status mode_print_dns(const struct options *options);
enum exit_status mode_print_policy(const struct options *options);
enum exit_status mode_print_id(const struct options *options);
enum exit_status mode_print_schema(const struct options *options);
enum exit_status mode_parse_policy(const struct options *options);
enum exit_status mode_parse_record(const struct options *options);
enum exit_status mode_match_mx(const struct options *options);
enum exit_status mode_import(const struct options *options);
enum exit_status mode_become(const struct options *options);
enum exit_status mode_withdraw(const struct options *options);
enum exit_status mode_reload(const struct options *options);
enum exit_status mode_health(const struct options *options);
enum exit_status mode_notify_test(const struct options *options);
enum exit_status mode_certificates(const struct options *options);
enum exit_status mode_version(const struct options *options);
enum exit_status mode_help(const struct options *options);
