/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/certificate_findings.h"
#include "cli/daemon_ids.h"
#include "cli/dns_files.h"
#include "cli/dns_plan.h"
#include "cli/mode.h"
#include "cli/run_as.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/trust_store.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/config/config.h"
#include "lib/dns/format.h"
#include "lib/state/ledger.h"

/* Terraform's and octoDNS's comments hold the reason; PowerDNS's JSON has no place for one. */
static const char *print_dns_where_reasons_are(const struct dns_format *format)
{
    return format->hides_withheld ? "--print-dns=zone says why" : "the reason is beside each";
}

static void print_dns_remarks(const struct dns_plan *plan, const struct dns_format *format,
                              const struct config *config)
{
    if (plan->n_unserved > 0)
        fprintf(stderr, "mta-stsd: %zu %s not served yet; publish %s after --reload\n",
                plan->n_unserved, plan->n_unserved == 1 ? "id is" : "ids are",
                plan->n_unserved == 1 ? "it" : "them");
    if (plan->n_withheld > 0)
        fprintf(stderr, "mta-stsd: %zu _mta-sts %s withheld until %s can be fetched; %s\n",
                plan->n_withheld, plan->n_withheld == 1 ? "record is" : "records are",
                plan->n_withheld == 1 ? "its policy" : "their policies",
                print_dns_where_reasons_are(format));
    if (plan->n_left > 0 && format->has_deletions && !format->hides_withheld)
        fprintf(stderr, "mta-stsd: %zu %s of what has ended may be deleted; see the comments\n",
                plan->n_left, plan->n_left == 1 ? "record" : "records");
    else if (plan->n_left > 0)
        fprintf(stderr,
                "mta-stsd: %zu %s of what has ended may be deleted; --print-dns=zone lists %s\n",
                plan->n_left, plan->n_left == 1 ? "record" : "records",
                plan->n_left == 1 ? "it" : "them");
    if (!config->policy_host_name && config->n_policy_host_addresses == 0)
        fputs("mta-stsd: policy_host is not set, so what mta-sts.<domain> points to is not "
              "printed; give policy_host: {name: ...} or {addresses: [...]}\n",
              stderr);
}

static const struct dns_format *print_dns_format(const struct options *options)
{
    const char *name = options->value ? options->value : dns_formats[0]->name;
    const struct dns_format *format = dns_format_find(slice_of(name));

    if (format)
        return format;
    fprintf(stderr, "mta-stsd: --print-dns: '%s' is not a format; the formats are", name);
    for (size_t i = 0; i < n_dns_formats; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", dns_formats[i]->name);
    fputc('\n', stderr);
    return NULL;
}

static int print_dns_side(const struct options *options, enum record_side *ret_side)
{
    for (int side = 0; options->side && side < SIDE_COUNT; side++) {
        *ret_side = (enum record_side)side;
        if (strcmp(options->side, record_side_name(*ret_side)) == 0)
            return 0;
    }
    *ret_side = SIDE_COUNT;
    if (!options->side)
        return 0;
    cli_fail(STATUS_USAGE, "--side: '%s' is neither customer nor provider", options->side);
    return -1;
}

/*
 * A directory that cannot be read must not look like 50,000 missing certificates. Only certbot's
 * directory, the default, may be absent: then there are no certificates yet.
 */
static enum exit_status print_dns_open_store(const struct options *options,
                                             const struct config *config,
                                             const struct trust_store *trust,
                                             struct cert_store **ret_store)
{
    char advice[160];
    struct err err;
    int result;

    if (options->no_certificates || config->n_sources == 0)
        return STATUS_GOOD;
    *ret_store = cert_store_new(config->sources, config->n_sources, 1, &clock_system, trust);
    run_as_begin(config);
    result = cert_store_check_access(*ret_store, config->n_given_sources, &err);
    run_as_end();
    if (result == 0 || (config->has_default_sources && err.sys_errno == ENOENT))
        return STATUS_GOOD;
    return cli_fail(STATUS_FAILED,
                    "certificates: %s%s; --no-certificates prints the records without looking",
                    err.msg, certificate_advice(config, err.sys_errno, advice, sizeof(advice)));
}

static enum exit_status print_dns_plan(const struct options *options,
                                       const struct dns_format *format,
                                       const struct dns_filter *filter)
{
    struct dns_plan plan;
    enum exit_status status;

    run_as_begin(filter->config);
    status = dns_plan_make(filter, &plan);
    run_as_end();
    if (status == STATUS_GOOD && options->output)
        status = dns_files_write(&plan, format, options->output);
    else if (status == STATUS_GOOD)
        dns_format_print(format, plan.records, plan.n_records, stdout);
    if (status == STATUS_GOOD) {
        print_dns_remarks(&plan, format, filter->config);
        if (options->strict && plan.n_withheld > 0)
            status = STATUS_FINDINGS;
    }
    dns_plan_done(&plan);
    return status;
}

enum exit_status mode_print_dns(const struct options *options)
{
    const struct dns_format *format = print_dns_format(options);
    struct dns_filter filter = {
        .domains = options->domains,
        .n_domains = options->n_domains,
        .is_served_only = options->served,
    };
    enum exit_status loaded, status;
    struct trust_store *trust = NULL;
    struct ledger *ledger = NULL;
    struct served *served = NULL;
    struct config *config;

    if (!format || print_dns_side(options, &filter.side) != 0)
        return STATUS_USAGE;
    loaded = cli_load(options, &config);
    if (!config)
        return loaded;
    filter.config = config;
    filter.served = served = served_ask(config->control);
    filter.now_unix_s = clock_system.unix_s(&clock_system);
    trust = trust_store_new();
    status = print_dns_open_store(options, config, trust, &filter.store);
    if (status == STATUS_GOOD)
        status = cli_read_ledger(config, NULL, &ledger);
    filter.ledger = ledger;
    if (status == STATUS_GOOD && options->served && !served)
        status = cli_fail(STATUS_FAILED, "--served: no daemon answers at '%s'", config->control);
    if (status == STATUS_GOOD)
        status = print_dns_plan(options, format, &filter);
    ledger_free(ledger);
    served_free(served);
    cert_store_unref(filter.store);
    trust_store_free(trust);
    config_unref(config);
    return status == STATUS_GOOD ? loaded : status;
}
