/* SPDX-License-Identifier: MIT */
#include "check/check_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check/acme_ready.h"
#include "check/check_apart.h"
#include "check/check_finding.h"
#include "check/check_options.h"
#include "check/check_run.h"
#include "check/check_session.h"
#include "check/dns_diff.h"
#include "check/domain_check.h"
#include "check/report.h"
#include "check/report_metrics.h"
#include "check/report_tlsa.h"
#include "daemon/confine/privileges.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/diag/exit_status.h"
#include "lib/dns/name.h"
#include "version.h"

static enum exit_status list_print_json(void)
{
    struct json_writer writer = {.out = stdout, .indent = 2};

    json_begin_array(&writer, JSON_ON_LINES);
    for (int i = 0; i < CHECK_FINDING_COUNT; i++) {
        const struct check_row *row = check_row_of((enum check_finding)i);

        json_begin_object(&writer, JSON_ON_ONE_LINE);
        json_text_member(&writer, "code", row->code);
        json_text_member(&writer, "severity", check_severity_name(row->severity));
        json_text_member(&writer, "meaning", row->meaning);
        json_text_member(&writer, "advice", row->advice);
        json_text_member(&writer, "source", row->source);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    putchar('\n');
    return STATUS_GOOD;
}

static enum exit_status list_print_text(void)
{
    for (int i = 0; i < CHECK_FINDING_COUNT; i++) {
        const struct check_row *row = check_row_of((enum check_finding)i);

        printf("%-22s %-8s %s; %s (%s)\n", row->code, check_severity_name(row->severity),
               row->meaning, row->advice, row->source);
    }
    return STATUS_GOOD;
}

/* Without --config and without a file, the domains named are nobody's. */
static enum exit_status check_load_config(const struct check_options *options,
                                          struct config **ret_config)
{
    const char *path = options->config_path ? options->config_path : CONFIG_DEFAULT_PATH;
    struct diag *diag;

    *ret_config = NULL;
    if (options->mode == CHECK_MODE_CHECK && !options->config_path && options->n_domains > 0 &&
        access(path, R_OK) != 0)
        return STATUS_GOOD;
    diag = diag_new(&config_findings);
    *ret_config = config_load(path, diag);
    diag_print(diag, LEVEL_ERROR, stderr);
    diag_free(diag);
    return *ret_config ? STATUS_GOOD : STATUS_USAGE;
}

/* The domains to check, in stored form; the array and its texts are in the arena. NULL after an
 * error on standard error. */
static const char **check_list_domains(const struct check_options *options,
                                       const struct config *config, struct arena *arena,
                                       size_t *ret_n)
{
    size_t n = options->n_domains > 0 ? options->n_domains : config->n_domains;
    const char **domains = arena_array(arena, n, sizeof(*domains));
    char name[DNS_NAME_MAX + 1];
    struct err err;

    for (size_t i = 0; i < n; i++) {
        if (options->n_domains == 0) {
            domains[i] = config->domains[i].name;
        } else if (dns_name_parse(slice_of(options->domains[i]), name, NULL, &err) != 0) {
            fprintf(stderr, "mta-stsd-check: '%s' %s\n", options->domains[i], err.msg);
            return NULL;
        } else if (options->mode == CHECK_MODE_DIFF_DNS &&
                   !config_find_domain(config, slice_of(name))) {
            fprintf(stderr, "mta-stsd-check: '%s' is not a domain of the configuration\n", name);
            return NULL;
        } else {
            domains[i] = arena_copy(arena, slice_of(name));
        }
    }
    *ret_n = n;
    return domains;
}

static enum exit_status check_fail(const char *message)
{
    fprintf(stderr, "mta-stsd-check: %s\n", message);
    return STATUS_FAILED;
}

static enum exit_status status_of_totals(const struct check_options *options,
                                         const struct report_totals *totals)
{
    bool has_errors = totals->n_findings[CHECK_ERROR] > 0;

    if (!options->has_nagios)
        return has_errors ? STATUS_FINDINGS : STATUS_GOOD;
    if (has_errors)
        return STATUS_NAGIOS_CRITICAL;
    return totals->n_findings[CHECK_WARNING] > 0 ? STATUS_NAGIOS_WARNING : STATUS_GOOD;
}

static struct check_session_options session_options_of(const struct check_options *options,
                                                       const struct config *config)
{
    return (struct check_session_options){
        .config = config,
        .dns_server = options->dns_server,
        .dns_config = options->dns_config,
        .ca_file = options->ca_file,
        .helo = options->helo,
        .n_jobs = options->n_jobs,
        .timeout_ms = options->timeout_s * 1000,
        .allow_private = options->allow_private,
        .skips_smtp = options->skips_smtp || options->mode != CHECK_MODE_CHECK,
    };
}

/* What is done in a process of its own if root has begun it. */
struct check_work {
    const struct check_options *options;
    const struct config *config;
    const char *const *domains;
    size_t n_domains;
    struct account account;
    struct report_totals *totals; /* both processes share it */
};

static enum exit_status check_domains(const struct check_work *work, struct check_session *session)
{
    const struct check_options *options = work->options;
    struct report report = {
        .format = options->has_json     ? &report_json
                  : options->has_nagios ? &report_nagios
                                        : &report_text,
        .extent = options->is_quiet ? REPORT_PROBLEMS : REPORT_ALL,
        .out = stdout,
    };
    const struct check_run run = {
        .domains = work->domains,
        .n_domains = work->n_domains,
        .n_jobs = options->n_jobs,
        .report = &report,
        .shows_progress = work->n_domains > 1 && isatty(STDERR_FILENO),
    };

    check_run(&run, session);
    *work->totals = report.totals;
    /* Not to be taken for a check without errors, by cron or by the daemon, which keeps the earlier
     * results then. */
    if (report_totals_are_empty(&report.totals))
        return check_fail("no domain could be tried from here; --check without --quiet says why");
    return status_of_totals(options, &report.totals);
}

/* The status says whether each MX host has shown a certificate. */
static enum exit_status check_print_tlsa(const struct check_work *work,
                                         struct check_session *session)
{
    struct tlsa_report *state = tlsa_report_new();
    struct report report = {.format = &report_tlsa, .out = stdout, .state = state};
    const struct check_run run = {
        .domains = work->domains,
        .n_domains = work->n_domains,
        .n_jobs = work->options->n_jobs,
        .report = &report,
    };
    size_t n_keyless;

    check_run(&run, session);
    n_keyless = tlsa_report_keyless(state);
    tlsa_report_free(state);
    return n_keyless > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

/* What differs, and when to publish it. */
static enum exit_status check_print_diff(const struct check_work *work,
                                         struct check_session *session)
{
    const struct dns_diff diff = {
        .domains = work->domains,
        .n_domains = work->n_domains,
        .n_jobs = work->options->n_jobs,
        .format = work->options->dns_format,
        .out = stdout,
    };
    struct dns_diff_counts counts;

    dns_diff_run(&diff, session, &counts);
    if (counts.n_withheld > 0)
        fprintf(stderr,
                "mta-stsd-check: %zu %s to be published later, when %s served: publish the other "
                "records first, then run this again\n",
                counts.n_withheld, counts.n_withheld == 1 ? "id is" : "ids are",
                counts.n_withheld == 1 ? "its policy is" : "their policies are");
    if (counts.n_unknown > 0)
        fprintf(stderr, "mta-stsd-check: %zu %s could not be compared: no answer from DNS\n",
                counts.n_unknown, counts.n_unknown == 1 ? "record" : "records");
    if (counts.n_unknown > 0)
        return STATUS_FAILED;
    return counts.n_different > 0 ? STATUS_FINDINGS : STATUS_GOOD;
}

static enum exit_status check_print_readiness(const struct check_work *work,
                                              struct check_session *session)
{
    const struct config *config = work->config;

    if (!config->acme || (!config->policy_host_name && config->n_policy_host_addresses == 0)) {
        fputs("mta-stsd-check: --acme-ready needs acme: and policy_host: in the configuration\n",
              stderr);
        return STATUS_USAGE;
    }
    acme_ready_start(check_session_tools(session)->dns, config, work->domains, work->n_domains,
                     stdout);
    check_session_run(session);
    return STATUS_GOOD;
}

static enum exit_status check_flush(enum exit_status status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "mta-stsd-check: the output cannot be written: %s\n", strerror(errno));
    return STATUS_FAILED;
}

/* The session opens all that only root may read. */
static enum exit_status check_with_session(void *context)
{
    const struct check_work *work = context;
    const struct check_session_options options = session_options_of(work->options, work->config);
    struct err err;
    struct check_session *session = check_session_new(&options, &err);
    enum exit_status status;

    if (!session)
        return check_fail(err.msg);
    if (check_apart_drop(&work->account, &err) != 0)
        status = check_fail(err.msg);
    else if (work->options->mode == CHECK_MODE_ACME_READY)
        status = check_print_readiness(work, session);
    else if (work->options->mode == CHECK_MODE_DIFF_DNS)
        status = check_print_diff(work, session);
    else if (work->options->has_tlsa)
        status = check_print_tlsa(work, session);
    else
        status = check_domains(work, session);
    check_session_free(session);
    return check_flush(status);
}

static enum exit_status check_do_work(struct check_work *work)
{
    const char *metrics_path = work->options->metrics_path;
    enum exit_status status;
    struct err err;

    work->totals = mmap(NULL, sizeof(*work->totals), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work->totals == MAP_FAILED)
        memory_fail();
    if (check_apart_find(work->config, &work->account, &err) != 0 ||
        check_apart_run(&work->account, check_with_session, work, &status, &err) != 0 ||
        (status != STATUS_FAILED && metrics_path &&
         report_metrics_write(metrics_path, work->totals, (int64_t)time(NULL), &err) != 0))
        status = check_fail(err.msg);
    munmap(work->totals, sizeof(*work->totals));
    return status;
}

static enum exit_status mode_check_run(const struct check_options *options)
{
    struct arena *arena = arena_new(0);
    struct check_work work = {.options = options};
    struct config *config;
    enum exit_status status = check_load_config(options, &config);

    if (status == STATUS_GOOD) {
        work.config = config;
        work.domains = check_list_domains(options, config, arena, &work.n_domains);
        status = work.domains ? check_do_work(&work) : STATUS_USAGE;
    }
    config_unref(config);
    arena_free(arena);
    return status;
}

static enum exit_status check_run_mode(const struct check_options *options)
{
    switch (options->mode) {
    case CHECK_MODE_LIST:
        return options->has_json ? list_print_json() : list_print_text();
    case CHECK_MODE_HELP:
        check_options_print_help();
        return STATUS_GOOD;
    case CHECK_MODE_VERSION:
        puts("mta-stsd-check " MTA_VERSION);
        return STATUS_GOOD;
    case CHECK_MODE_CHECK:
    case CHECK_MODE_DIFF_DNS:
    case CHECK_MODE_ACME_READY:
        break;
    }
    return mode_check_run(options);
}

int check_main(int argc, char **argv)
{
    struct check_options options;

    if (file_fill_standard() != 0)
        return STATUS_FAILED;
    signal(SIGPIPE, SIG_IGN); /* servers close connections under us */
    if (check_options_parse(argc, argv, &options) != 0)
        return STATUS_USAGE;
    return (int)check_flush(check_run_mode(&options));
}
