/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/become.h"
#include "cli/mode.h"
#include "daemon/child/program.h"
#include "daemon/child/spawner_process.h"
#include "daemon/main/trial_load.h"
#include "daemon/tls/provider_filter.h"
#include "lib/base/arena.h"
#include "lib/base/file.h"
#include "lib/base/suggest.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/format.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"
#include "lib/state/ledger.h"
#include "version.h"

enum exit_status cli_load(const struct options *options, struct config **ret_config)
{
    struct diag *diag = diag_new(&config_findings);
    struct config *config = config_load(options->config_path, diag);
    enum exit_status status = config ? STATUS_GOOD : STATUS_USAGE;

    diag_print(diag, options->strict ? LEVEL_WARNING : LEVEL_ERROR, stderr);
    if (config && options->strict && diag_count(diag, LEVEL_WARNING) > 0)
        status = STATUS_FINDINGS;
    diag_free(diag);
    *ret_config = config;
    return status;
}

static void report_no_domain(const struct config *config, struct slice name)
{
    const char **names = memory_alloc(config->n_domains * sizeof(*names));
    const char *nearest;

    for (size_t i = 0; i < config->n_domains; i++)
        names[i] = config->domains[i].name;
    nearest = suggest_word(name, names, config->n_domains);
    cli_fail(STATUS_USAGE, "'%.*s' is not a domain of the configuration%s%s%s", SLICE_ARG(name),
             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    free(names);
}

/* The domain in the name of one of its records; NULL: the name is none. */
static const char *domain_of_record(const char *name)
{
    static const char *const prefixes[] = {DNS_PREFIX_POLICY_HOST, DNS_PREFIX_MTA_STS,
                                           DNS_PREFIX_TLS_RPT};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (slice_starts_with(slice_of(name), prefixes[i]))
            return name + strlen(prefixes[i]);
    return NULL;
}

const struct domain *cli_find_domain(const struct config *config, const char *name)
{
    const struct domain *domain = NULL;
    char stored[DNS_NAME_MAX + 1];
    struct err err;
    size_t len;

    if (domain_of_record(name))
        cli_fail(STATUS_USAGE, "'%s' is the name of a record; give the domain, '%s'", name,
                 domain_of_record(name));
    else if (dns_name_parse(slice_of(name), stored, &len, &err) != 0)
        cli_fail(STATUS_USAGE, "'%s' %s", name, err.msg);
    else if (!(domain = config_find_domain(config, (struct slice){stored, len})))
        report_no_domain(config, (struct slice){stored, len});
    return domain;
}

enum exit_status cli_load_policy(const struct options *options, struct config **ret_config,
                                 const struct domain **ret_domain)
{
    enum exit_status status = cli_load(options, ret_config);

    if (status != STATUS_GOOD)
        return status;
    *ret_domain = cli_find_domain(*ret_config, options->arguments[0]);
    if (*ret_domain && (*ret_domain)->document)
        return STATUS_GOOD;
    if (*ret_domain)
        cli_fail(STATUS_USAGE, "'%s' has no policy: its mta_sts is false", (*ret_domain)->name);
    config_unref(*ret_config);
    return STATUS_USAGE;
}

enum exit_status cli_read_ledger(const struct config *config, const char *domain,
                                 struct ledger **ret_ledger)
{
    struct err err;

    *ret_ledger = NULL;
    if (!config->state)
        return STATUS_GOOD;
    if (ledger_read(config->state, domain, ret_ledger, &err) != 0)
        return cli_fail(STATUS_FAILED, "%s", err.msg);
    if (ledger_damaged_line(*ret_ledger) != 0)
        fprintf(stderr,
                "mta-stsd: '%s/" LEDGER_FILE "': line %zu is damaged and is ignored, so some dates "
                "are unknown\n",
                config->state, ledger_damaged_line(*ret_ledger));
    return STATUS_GOOD;
}

enum exit_status mode_version(const struct options *options)
{
    (void)options;
    puts("mta-stsd " MTA_VERSION);
    return STATUS_GOOD;
}

/* "  -t, --test-config             read everything, ..." */
static void print_row(char letter, const char *name, const char *value, const char *arguments,
                      const char *what)
{
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s%s%s%s%s", letter != '\0' ? '-' : ' ',
             letter != '\0' ? letter : ' ', letter != '\0' ? ", " : "  ",
             name[0] != '\0' ? "--" : "(none)", name, value, arguments);
    printf("  %-34s %s\n", left, what);
}

static void print_mode(const struct mode *mode)
{
    char value[32] = "", arguments[32] = "";
    const char *before = "          with ";

    if (mode->value_name)
        snprintf(value, sizeof(value), "[=%s]", mode->value_name);
    if (mode->arguments)
        snprintf(arguments, sizeof(arguments), " %s", mode->arguments);
    print_row(mode->letter, mode->name, value, arguments, mode->what);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((mode->options & (1U << i)) == 0)
            continue;
        printf("%s--%s", before, option_rows[i].name);
        before = ", ";
    }
    if (mode->options != 0)
        putchar('\n');
}

/* The shells' completions parse this output too. */
enum exit_status mode_help(const struct options *options)
{
    (void)options;
    puts("Usage: mta-stsd [COMMAND] [OPTION...]\n\n"
         "Hosts MTA-STS policies (RFC 8461).\n\n"
         "Commands:");
    for (size_t i = 0; i < n_modes; i++)
        print_mode(&modes[i]);
    puts("\nOptions:");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct cli_option_row *row = &option_rows[i];

        print_row(row->letter, row->name, row->value_name ? " " : "",
                  row->value_name ? row->value_name : "", row->what);
    }
    puts("\nFormats of --print-dns:");
    for (size_t i = 0; i < n_dns_formats; i++)
        printf("  %-34s %s%s\n", dns_formats[i]->name, dns_formats[i]->what,
               i == 0 ? " (default)" : "");
    puts("\nExit status: 0 good, 1 findings, 2 usage or configuration, 3 could not run.");
    return STATUS_GOOD;
}

/* What the daemon starts of itself. Nobody types this, so --help does not show it. */
static bool run_inner_program(int argc, char **argv, int *ret_status)
{
    if (argc >= 2 && strcmp(argv[1], PROGRAM_SPAWNER) == 0)
        *ret_status = spawner_process_run((const char *const *)argv + 2, (size_t)argc - 2);
    else if (argc == 3 && strcmp(argv[1], PROGRAM_TRIAL_LOAD) == 0)
        *ret_status = trial_load_run(argv[2]);
    else
        return false;
    return true;
}

int cli_main(int argc, char **argv)
{
    enum exit_status status = STATUS_USAGE;
    struct options options;
    int inner_status;

    if (file_fill_standard() != 0)
        return STATUS_FAILED;
    if (run_inner_program(argc, argv, &inner_status))
        return inner_status;
    if (become_program(argc, argv, &inner_status) != 0)
        return inner_status;
    provider_filter_install();
    if (options_parse(argc, argv, &options) == 0)
        status = options.mode->run(&options);
    options_done(&options);
    /* A full disk shows only here: what was printed may still be in the buffer. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status <= STATUS_FINDINGS)
        status = cli_fail(STATUS_FAILED, "the output cannot be written: %s", strerror(errno));
    return (int)status;
}
