/* SPDX-License-Identifier: MIT */
#include "reports/reports_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/diag/exit_status.h"
#include "lib/dns/name.h"
#include "lib/state/ledger.h"
#include "reports/check_results.h"
#include "reports/fetch_intake.h"
#include "reports/peer_proof.h"
#include "reports/report_admission.h"
#include "reports/report_database.h"
#include "reports/report_expire.h"
#include "reports/report_import.h"
#include "reports/report_mail.h"
#include "reports/report_query.h"
#include "reports/report_scope.h"
#include "reports/report_sources.h"
#include "reports/reports_conditions.h"
#include "reports/reports_options.h"
#include "reports/reports_show.h"
#include "reports/reports_site.h"
#include "version.h"

/* What all modes need. */
struct reports_program {
    const struct reports_options *options;
    struct config *config;
    struct ledger *ledger;
    struct check_results *checks; /* to be shown */
    struct report_scope *scope;
    struct report_database *database;
    int64_t now_unix_s;
};

static int reports_fail(int status, const char *what)
{
    fprintf(stderr, "mta-stsd-reports: %s\n", what);
    return status;
}

static int program_load_config(struct reports_program *program)
{
    struct diag *diag = diag_new(&config_findings);

    program->config = config_load(program->options->config_path, diag);
    diag_print(diag, LEVEL_ERROR, stderr);
    diag_free(diag);
    if (!program->config)
        return STATUS_USAGE;
    if (!program->config->state)
        return reports_fail(STATUS_USAGE,
                            "there is no place for reports: set state: in the configuration");
    return STATUS_GOOD;
}

/* The ledger of the only domain that is asked for is found faster. */
static int program_open(struct reports_program *program, const char *only_domain)
{
    const char *state = program->config->state;
    struct err err;

    if (ledger_read(state, only_domain, &program->ledger, &err) != 0 ||
        report_database_open(state, &program->database, &err) != 0)
        return reports_fail(STATUS_FAILED, err.msg);
    program->scope = report_scope_new(program->config, program->ledger, program->now_unix_s);
    return STATUS_GOOD;
}

static void program_close(struct reports_program *program)
{
    report_database_close(program->database);
    report_scope_free(program->scope);
    check_results_free(program->checks);
    ledger_free(program->ledger);
    config_unref(program->config);
}

static int program_expire(const struct reports_program *program, struct err *err)
{
    struct report_verdict_rules rules = domain_reports_rules(program->config);
    struct report_keeping keeping = report_keeping_for(&rules);

    return report_expire(program->database, &keeping, program->now_unix_s, err);
}

static struct report_admission *program_admission(const struct reports_program *program,
                                                  struct peer_proofs *proofs)
{
    return report_admission_new(&(struct report_admission_parts){.database = program->database,
                                                                 .scope = program->scope,
                                                                 .proofs = proofs,
                                                                 .clock = &clock_system});
}

static void admission_print_counts(const struct report_admission *admission)
{
    struct report_admission_counts counts = report_admission_counts(admission);

    report_admission_counts_print(&counts, stdout);
}

static int reports_run_spool(struct reports_program *program)
{
    struct peer_proofs *proofs = peer_proofs_new(&peer_resolver_system, &clock_system);
    struct report_admission *admission = program_admission(program, proofs);
    struct report_verdict_rules rules = domain_reports_rules(program->config);
    int status = STATUS_GOOD;
    size_t n_failed = 0;
    struct err err;

    if (report_import_spool(admission, program->config->state, &n_failed, &err) != 0 ||
        fetch_intake_take(program->database, program->config->state, program->now_unix_s,
                          report_keeping_for(&rules).sums_s, &err) != 0 ||
        program_expire(program, &err) != 0)
        status = reports_fail(STATUS_FAILED, err.msg);
    admission_print_counts(admission);
    if (n_failed > 0)
        fprintf(stderr, "mta-stsd-reports: %zu %s of the spool %s put into spool/failed\n",
                n_failed, n_failed == 1 ? "file" : "files", n_failed == 1 ? "was" : "were");
    report_admission_free(admission);
    peer_proofs_free(proofs);
    return status;
}

static void sources_print_counts(const struct report_counts *counts)
{
    if (counts->n_ordinary > 0)
        printf("%zu of %zu mail%s %s no report\n", counts->n_ordinary, counts->n_mails,
               counts->n_mails == 1 ? "" : "s", counts->n_ordinary == 1 ? "has" : "have");
    if (counts->n_others > 0)
        printf("%zu %s neither a report nor a mail\n", counts->n_others,
               counts->n_others == 1 ? "file is" : "files are");
}

static int reports_import_files(const struct reports_program *program, struct report_import *import)
{
    struct report_counts counts = {0};
    struct err err;

    if (report_import_files(import, program->options->arguments, program->options->n_arguments,
                            &counts, &err) != 0 ||
        program_expire(program, &err) != 0)
        return reports_fail(STATUS_FAILED, err.msg);
    admission_print_counts(import->admission);
    sources_print_counts(&counts);
    return import->n_complaints > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

/* An MTA that reads this says nothing of a mail that was taken, so nothing is printed. */
static int reports_import_mail(struct report_import *import)
{
    struct report_counts counts = {0};
    struct err err;
    int status = report_import_mail(import, stdin, &counts, &err);

    return status == EX_OK ? EX_OK : reports_fail(status, err.msg);
}

static int reports_run_import(struct reports_program *program)
{
    struct report_import import = {
        .admission = program_admission(program, NULL),
        .reader = report_mail_reader_new(program->config->authserv_id),
        .now_unix_s = program->now_unix_s,
    };
    int status = program->options->n_arguments > 0 ? reports_import_files(program, &import)
                                                   : reports_import_mail(&import);

    report_mail_reader_free(import.reader);
    report_admission_free(import.admission);
    return status;
}

/* Returns NULL after an error on standard error. */
static const char *argument_domain(const char *argument, struct arena *arena)
{
    char name[DNS_NAME_MAX + 1];
    struct err err;

    if (dns_name_parse(slice_of(argument), name, NULL, &err) == 0)
        return arena_copy(arena, slice_of(name));
    fprintf(stderr, "mta-stsd-reports: '%s' %s\n", argument, err.msg);
    return NULL;
}

/* The domains named, or all of the configuration. NULL after an error on standard error. */
static const char *const *reports_list_domains(const struct reports_program *program,
                                               struct arena *arena, size_t *ret_n)
{
    const struct reports_options *options = program->options;
    const struct config *config = program->config;
    size_t n = options->n_arguments > 0 ? options->n_arguments : config->n_domains;
    const char **domains = arena_array(arena, n, sizeof(*domains));

    for (size_t i = 0; i < n; i++) {
        domains[i] = options->n_arguments > 0 ? argument_domain(options->arguments[i], arena)
                                              : config->domains[i].name;
        if (!domains[i])
            return NULL;
    }
    *ret_n = n;
    return domains;
}

/* Reports of a domain that is not ours are kept aside, so that --reports has nothing of it. */
static int reports_check_scope(const struct reports_program *program, const char *const *domains,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (report_scope_has(program->scope, domains[i]))
            continue;
        fprintf(stderr,
                "mta-stsd-reports: '%s' is neither a domain of the configuration nor an MX host "
                "of one\n",
                domains[i]);
        return STATUS_USAGE;
    }
    return STATUS_GOOD;
}

static struct domain_reports_source program_source(const struct reports_program *program)
{
    return (struct domain_reports_source){.database = program->database,
                                          .config = program->config,
                                          .ledger = program->ledger,
                                          .checks = program->checks,
                                          .now_unix_s = program->now_unix_s,
                                          .days = (int64_t)program->options->days};
}

static int program_show_domains(const struct reports_program *program, const char *const *domains,
                                size_t n)
{
    const struct reports_options *options = program->options;
    const struct reports_show show = {
        .source = program_source(program),
        .domains = domains,
        .n_domains = n,
        .has_json = options->has_json,
        .has_failures = options->has_failures,
        .has_unreadable = options->n_arguments == 0,
        .out = stdout,
    };
    size_t n_broken;
    struct err err;

    if (reports_show_domains(&show, &n_broken, &err) != 0)
        return reports_fail(STATUS_FAILED, err.msg);
    return n_broken > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

/* Without them a verdict has less to go by, and is none the less true. */
static void program_read_checks(struct reports_program *program)
{
    struct err err;

    if (check_results_read(program->config->state, &program->checks, &err) != 0)
        fprintf(stderr, "mta-stsd-reports: what the last check found is left out: %s\n", err.msg);
}

static int program_show_raw(const struct reports_program *program, const char *domain)
{
    struct err err;

    return reports_show_raw(program->database, domain, stdout, &err) == 0
               ? STATUS_GOOD
               : reports_fail(STATUS_FAILED, err.msg);
}

static int program_show_list(struct reports_program *program, const char *const *domains, size_t n)
{
    bool has_names = program->options->n_arguments > 0;
    int status = program_open(program, has_names && n == 1 ? domains[0] : NULL);

    if (status == STATUS_GOOD && has_names)
        status = reports_check_scope(program, domains, n);
    if (status != STATUS_GOOD)
        return status;
    if (program->options->has_raw)
        return program_show_raw(program, has_names ? domains[0] : NULL);
    program_read_checks(program);
    return program_show_domains(program, domains, n);
}

static int reports_run_show(struct reports_program *program)
{
    struct arena *arena = arena_new(0);
    size_t n = 0;
    const char *const *domains = reports_list_domains(program, arena, &n);
    int status = domains ? program_show_list(program, domains, n) : STATUS_USAGE;

    arena_free(arena);
    return status;
}

static int reports_run_site(struct reports_program *program)
{
    struct domain_reports_source source;
    size_t n_domains;
    struct err err;

    program_read_checks(program);
    source = program_source(program);
    if (reports_site_write(&source, program->options->site, &n_domains, &err) != 0)
        return reports_fail(STATUS_FAILED, err.msg);
    printf("%s: %zu domain%s\n", program->options->site, n_domains, n_domains == 1 ? "" : "s");
    return STATUS_GOOD;
}

static int reports_run_conditions(struct reports_program *program)
{
    struct domain_reports_source source;
    struct err err;

    program_read_checks(program);
    source = program_source(program);
    return reports_conditions_write(&source, program->options->conditions, &err) == 0
               ? STATUS_GOOD
               : reports_fail(STATUS_FAILED, err.msg);
}

static int reports_run_opened(struct reports_program *program)
{
    switch (program->options->mode) {
    case REPORTS_MODE_SPOOL:
        return reports_run_spool(program);
    case REPORTS_MODE_SITE:
        return reports_run_site(program);
    case REPORTS_MODE_CONDITIONS:
        return reports_run_conditions(program);
    default:
        return reports_run_import(program);
    }
}

static bool options_are_piped(const struct reports_options *options)
{
    return options->mode == REPORTS_MODE_IMPORT && options->n_arguments == 0;
}

static int reports_run_configured(const struct reports_options *options)
{
    struct reports_program program = {
        .options = options,
        .now_unix_s = (int64_t)time(NULL),
    };
    int status = program_load_config(&program);

    if (status == STATUS_GOOD && options->mode == REPORTS_MODE_SHOW) {
        status = reports_run_show(&program);
    } else if (status == STATUS_GOOD) {
        status = program_open(&program, NULL);
        if (status == STATUS_GOOD)
            status = reports_run_opened(&program);
    }
    program_close(&program);
    /* An MTA bounces the mail on any other status; the fault is ours, and the mail is good. */
    if (options_are_piped(options) && status != EX_OK && status != EX_DATAERR)
        return EX_TEMPFAIL;
    return status;
}

static int reports_run_mode(const struct reports_options *options)
{
    switch (options->mode) {
    case REPORTS_MODE_HELP:
        reports_options_print_help();
        return STATUS_GOOD;
    case REPORTS_MODE_VERSION:
        puts("mta-stsd-reports " MTA_VERSION);
        return STATUS_GOOD;
    case REPORTS_MODE_SHOW:
    case REPORTS_MODE_IMPORT:
    case REPORTS_MODE_SPOOL:
    case REPORTS_MODE_SITE:
    case REPORTS_MODE_CONDITIONS:
        break;
    }
    if (options_are_piped(options) && isatty(STDIN_FILENO))
        return reports_fail(STATUS_USAGE,
                            "--import-report needs files, or a mail on standard input");
    return reports_run_configured(options);
}

int reports_main(int argc, char **argv)
{
    struct reports_options options;
    int status;

    if (file_fill_standard() != 0)
        return STATUS_FAILED;
    signal(SIGPIPE, SIG_IGN); /* a reader that has enough ends the output, not a group of reports */
    if (reports_options_parse(argc, argv, &options) != 0)
        return STATUS_USAGE;
    status = reports_run_mode(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "mta-stsd-reports: the output cannot be written: %s\n", strerror(errno));
        return STATUS_FAILED;
    }
    return status;
}
