/* SPDX-License-Identifier: MIT */
#include "check/check_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/slice.h"
#include "lib/base/suggest.h"
#include "lib/config/load.h"
#include "lib/dns/format.h"

enum {
    JOBS_DEFAULT = 32,
    JOBS_MAX = 512,
    TIMEOUT_DEFAULT_S = 60,
    TIMEOUT_MAX_S = 600,
};

/* getopt_long()'s codes; above those of letters. */
enum check_option {
    OPT_CHECK = 256,
    OPT_DIFF_DNS,
    OPT_ACME_READY,
    OPT_LIST,
    OPT_HELP,
    OPT_VERSION,
    OPT_CONFIG,
    OPT_JSON,
    OPT_NAGIOS,
    OPT_TLSA,
    OPT_METRICS,
    OPT_QUIET,
    OPT_JOBS,
    OPT_TIMEOUT,
    OPT_ALLOW_PRIVATE,
    OPT_NO_SMTP,
    OPT_HELO,
    OPT_DNS_SERVER,
    OPT_DNS_CONFIG,
    OPT_CA_FILE,
};

struct check_option_row {
    enum check_option code;
    const char *name;
    const char *value_name; /* NULL: takes no value; in brackets: may have one */
    const char *what;
};

static const struct check_option_row option_table[] = {
    {OPT_CHECK, "check", NULL, "check the domains named, or all that the configuration hosts"},
    {OPT_DIFF_DNS, "diff-dns", "[=FORMAT]",
     "print the records that live DNS lacks or has otherwise, as --print-dns does"},
    {OPT_ACME_READY, "acme-ready", NULL,
     "say of each policy host named whether a certificate can be ordered for it"},
    {OPT_LIST, "list-checks", NULL, "what can be found: code, severity, source"},
    {OPT_VERSION, "version", NULL, "the version"},
    {OPT_HELP, "help", NULL, "this text"},
    {OPT_CONFIG, "config", "FILE", "the configuration [" CONFIG_DEFAULT_PATH ", if it exists]"},
    {OPT_JSON, "json", NULL, "print JSON"},
    {OPT_NAGIOS, "nagios", NULL, "print one line, and exit as a plugin of Nagios does"},
    {OPT_TLSA, "tlsa", NULL,
     "print the TLSA records 3 1 1 of the certificates that the MX hosts show"},
    {OPT_METRICS, "metrics", "FILE", "write the totals there too, for Prometheus"},
    {OPT_QUIET, "quiet", NULL, "print errors and warnings only"},
    {OPT_JOBS, "jobs", "NUMBER", "domains that are checked at a time [32]"},
    {OPT_TIMEOUT, "timeout", "SECONDS", "for each answer, fetch and conversation [60]"},
    {OPT_ALLOW_PRIVATE, "allow-private", NULL,
     "contact private, loopback and other special addresses too"},
    {OPT_NO_SMTP, "no-smtp", NULL, "contact no MX host, as where port 25 is blocked"},
    {OPT_HELO, "helo", "NAME", "the name that MX hosts are told [the machine's]"},
    {OPT_DNS_SERVER, "dns-server", "ADDRESS",
     "ask this resolver instead of the authoritative servers"},
    {OPT_DNS_CONFIG, "dns-config", "FILE",
     "settings of unbound.conf for the resolver, its trust anchors too"},
    {OPT_CA_FILE, "ca-file", "FILE", "the roots to trust, PEM [the system's]"},
};

enum { N_OPTIONS = ARRAY_LEN(option_table) };

static int check_options_fail(const char *argument, const char *why)
{
    fprintf(stderr, "mta-stsd-check: %s %s; see --help\n", argument, why);
    return -1;
}

static int number_parse(const char *name, uint64_t max, uint64_t *ret_number)
{
    if (slice_to_u64(slice_of(optarg), max, ret_number) == 0 && *ret_number > 0)
        return 0;
    fprintf(stderr, "mta-stsd-check: --%s: expected a number from 1 to %llu, found '%s'\n", name,
            (unsigned long long)max, optarg);
    return -1;
}

static enum check_mode check_option_mode(enum check_option code)
{
    return code == OPT_ACME_READY ? CHECK_MODE_ACME_READY
           : code == OPT_LIST     ? CHECK_MODE_LIST
           : code == OPT_HELP     ? CHECK_MODE_HELP
           : code == OPT_VERSION  ? CHECK_MODE_VERSION
                                  : CHECK_MODE_CHECK;
}

static int check_options_set(struct check_options *options, enum check_option code)
{
    uint64_t jobs;

    switch (code) {
    case OPT_CHECK:
    case OPT_ACME_READY:
    case OPT_LIST:
    case OPT_HELP:
    case OPT_VERSION:
        options->mode = check_option_mode(code);
        break;
    case OPT_DIFF_DNS:
        options->mode = CHECK_MODE_DIFF_DNS;
        options->dns_format = optarg ? dns_format_find(slice_of(optarg)) : dns_formats[0];
        if (options->dns_format)
            break;
        return check_options_fail(optarg, "is not a format of --print-dns");
    case OPT_CONFIG:
        options->config_path = optarg;
        break;
    case OPT_JSON:
        options->has_json = true;
        break;
    case OPT_NAGIOS:
        options->has_nagios = true;
        break;
    case OPT_TLSA:
        options->has_tlsa = true;
        break;
    case OPT_METRICS:
        options->metrics_path = optarg;
        break;
    case OPT_QUIET:
        options->is_quiet = true;
        break;
    case OPT_JOBS:
        if (number_parse("jobs", JOBS_MAX, &jobs) != 0)
            return -1;
        options->n_jobs = (size_t)jobs;
        break;
    case OPT_TIMEOUT:
        return number_parse("timeout", TIMEOUT_MAX_S, &options->timeout_s);
    case OPT_ALLOW_PRIVATE:
        options->allow_private = true;
        break;
    case OPT_NO_SMTP:
        options->skips_smtp = true;
        break;
    case OPT_HELO:
        options->helo = optarg;
        break;
    case OPT_DNS_SERVER:
        options->dns_server = optarg;
        break;
    case OPT_DNS_CONFIG:
        options->dns_config = optarg;
        break;
    case OPT_CA_FILE:
        options->ca_file = optarg;
        break;
    }
    return 0;
}

static int check_options_report_unknown(const char *argument)
{
    const char *names[N_OPTIONS], *nearest;
    struct slice name = slice_of(argument + strspn(argument, "-"));

    for (size_t i = 0; i < N_OPTIONS; i++)
        names[i] = option_table[i].name;
    nearest = suggest_word(slice_range(name, 0, slice_find_byte(name, '=')), names, N_OPTIONS);
    if (!nearest)
        return check_options_fail(argument, "is not an option");
    fprintf(stderr, "mta-stsd-check: %s is not an option; did you mean --%s?\n", argument, nearest);
    return -1;
}

static int option_argument(const struct check_option_row *row)
{
    if (!row->value_name)
        return no_argument;
    return row->value_name[0] == '[' ? optional_argument : required_argument;
}

int check_options_parse(int argc, char **argv, struct check_options *ret_options)
{
    struct option rows[N_OPTIONS + 1] = {{0}};
    int code;

    for (size_t i = 0; i < N_OPTIONS; i++)
        rows[i] = (struct option){option_table[i].name, option_argument(&option_table[i]), NULL,
                                  (int)option_table[i].code};
    *ret_options = (struct check_options){.n_jobs = JOBS_DEFAULT, .timeout_s = TIMEOUT_DEFAULT_S};
    while ((code = getopt_long(argc, argv, ":c:", rows, NULL)) != -1) {
        if (code == '?')
            return check_options_report_unknown(argv[optind - 1]);
        if (code == ':')
            return check_options_fail(argv[optind - 1], "needs a value");
        if (check_options_set(ret_options, code == 'c' ? OPT_CONFIG : (enum check_option)code) != 0)
            return -1;
    }
    if (ret_options->has_json && ret_options->has_nagios)
        return check_options_fail("--json and --nagios", "do not go together");
    ret_options->domains = argv + optind;
    ret_options->n_domains = (size_t)(argc - optind);
    if (ret_options->n_domains > 0 && ret_options->mode != CHECK_MODE_CHECK &&
        ret_options->mode != CHECK_MODE_DIFF_DNS && ret_options->mode != CHECK_MODE_ACME_READY)
        return check_options_fail(argv[optind], "is one argument too many");
    if (ret_options->n_domains == 0 && ret_options->mode == CHECK_MODE_ACME_READY)
        return check_options_fail("--acme-ready", "needs the names of policy hosts");
    return 0;
}

void check_options_print_help(void)
{
    char left[64];

    puts("Usage: mta-stsd --check [OPTION...] [DOMAIN...]\n\n"
         "Shows each domain as a sender of mail sees it (RFC 8461): what senders will do, what is "
         "wrong, what to change.\n");
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const struct check_option_row *row = &option_table[i];

        snprintf(left, sizeof(left), "%s--%s%s%s", row->code == OPT_CONFIG ? "-c, " : "    ",
                 row->name, row->value_name && row->value_name[0] != '[' ? " " : "",
                 row->value_name ? row->value_name : "");
        printf("  %-28s %s\n", left, row->what);
    }
    puts("\nExit status: 0 no errors, 1 errors, 2 usage or configuration, 3 could not run; with "
         "--nagios 0 OK, 1 warnings, 2 errors, 3 could not run.");
}
