/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/certificate_findings.h"
#include "cli/mode.h"
#include "cli/parallel.h"
#include "cli/run_as.h"
#include "cli/start_check.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "daemon/tls/trust_store.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/config/load.h"
#include "lib/diag/config_finding.h"
#include "lib/diag/diag.h"
#include "lib/dns/name.h"
#include "lib/dns/record.h"

struct test_config_context {
    const struct config *config;
    struct cert_store *store;
    struct certificate_findings *findings;
};

/* One finding for each host: its message names all faults, its code is of the gravest. */
static void check_host(const struct test_config_context *checking, size_t index, const char *host,
                       const char *path, struct place place, finding_set allow)
{
    struct cert_state state;
    int gravest = FINDING_NONE;

    cert_store_check(checking->store, host, &state);
    certificate_unref(state.certificate);
    state.findings &= ~allow;
    if (state.findings == 0)
        return;
    while ((state.findings & finding_bit((enum finding)gravest)) == 0)
        gravest++;
    certificate_findings_add(checking->findings, index,
                             &(struct host_fault){.host = host,
                                                  .path = path,
                                                  .message = state.message,
                                                  .place = place,
                                                  .finding = (enum finding)gravest,
                                                  .sys_errno = state.sys_errno});
}

static void check_domain(void *context, size_t index)
{
    const struct test_config_context *checking = context;
    const struct domain *domain = &checking->config->domains[index];
    char host[POLICY_HOST_SIZE], path[16 + DNS_NAME_MAX];

    if (!domain->document)
        return;
    snprintf(path, sizeof(path), "domains.%s", domain->name);
    check_host(checking, index, dns_policy_host_render(domain->name, host), path, domain->place,
               domain->allow);
}

static void check_all_hosts(struct test_config_context *checking)
{
    const struct config *config = checking->config;

    /* Senders never ask for this name, only a reverse proxy of a customer (RFC 8461 8.2). */
    if (config->policy_host_name)
        check_host(checking, config->n_domains, config->policy_host_name, "policy_host.name",
                   config->sources_place,
                   finding_bit(FINDING_CERTIFICATE_MISSING) |
                       finding_bit(FINDING_CERTIFICATE_NAME));
    parallel_for(check_domain, checking, config->n_domains);
}

static void check_certificates(const struct config *config, const struct trust_store *trust,
                               struct diag *diag)
{
    struct test_config_context checking = {
        .config = config,
        .store = cert_store_new(config->sources, config->n_sources, 1, &clock_system, trust),
        .findings = certificate_findings_new(config->n_domains + 1),
    };
    char advice[160];
    struct err err;
    int result;

    run_as_begin(config);
    result = cert_store_check_access(checking.store, config->n_given_sources, &err);
    if (result == 0)
        check_all_hosts(&checking);
    run_as_end();
    if (result != 0)
        diag_add(diag, FINDING_CERTIFICATE_UNREADABLE, config->sources_place, "certificates",
                 "%s%s", err.msg,
                 certificate_advice(config, err.sys_errno, advice, sizeof(advice)));
    certificate_findings_report(checking.findings, config, diag);
    certificate_findings_free(checking.findings);
    cert_store_unref(checking.store);
}

static void print_count(size_t count, const char *what, const char *end)
{
    printf("%zu %s%s%s", count, what, count == 1 ? "" : "s", end);
}

static void test_config_print_summary(const struct options *options, size_t n_domains,
                                      const struct diag *diag)
{
    printf("%s: ", options->config_path);
    print_count(n_domains, "domain", ", ");
    print_count(diag_count(diag, LEVEL_ERROR), "error", ", ");
    print_count(diag_count(diag, LEVEL_WARNING), "warning", ", ");
    print_count(diag_count(diag, LEVEL_NOTE), "note", "\n");
}

enum exit_status mode_test_config(const struct options *options)
{
    struct diag *diag = diag_new(&config_findings);
    size_t n_domains;
    struct config *config = config_load_counted(options->config_path, diag, &n_domains);
    enum exit_status status = config ? STATUS_GOOD : STATUS_USAGE;

    if (config && !options->no_certificates) {
        start_check(config, options->config_path, diag);
        start_check_programs(config, diag);
    }
    if (config && !options->no_certificates && config->n_sources > 0) {
        struct trust_store *trust = trust_store_new();

        check_certificates(config, trust, diag);
        trust_store_free(trust);
    }
    if (options->json) {
        diag_print_json(diag, stdout);
    } else {
        diag_print(diag, LEVEL_NOTE, stdout);
        test_config_print_summary(options, n_domains, diag);
    }
    if (diag_count(diag, LEVEL_ERROR) > 0)
        status = STATUS_USAGE;
    else if (options->strict && diag_count(diag, LEVEL_WARNING) > 0)
        status = STATUS_FINDINGS;
    config_unref(config);
    diag_free(diag);
    return status;
}
