/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>

#include "cli/mode.h"
#include "cli/parallel.h"
#include "cli/run_as.h"
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
    pthread_mutex_t lock;
    struct diag *diag; /* under the lock */
};

static void check_host(struct test_config_context *checking, const char *host, const char *path,
                       struct place place, finding_set allow)
{
    struct cert_state state;

    cert_store_check(checking->store, host, &state);
    certificate_unref(state.certificate);
    state.findings &= ~allow;
    /* One finding for each host: its message names all faults, its code is of the gravest. */
    for (int i = 0; i < FINDING_COUNT; i++) {
        if ((state.findings & finding_bit((enum finding)i)) == 0)
            continue;
        pthread_mutex_lock(&checking->lock);
        diag_add(checking->diag, (enum finding)i, place, path, "%s: %s", host, state.message);
        pthread_mutex_unlock(&checking->lock);
        return;
    }
}

static void check_domain(void *context, size_t index)
{
    struct test_config_context *checking = context;
    const struct domain *domain = &checking->config->domains[index];
    char host[POLICY_HOST_SIZE], path[16 + DNS_NAME_MAX];

    if (!domain->document)
        return;
    snprintf(path, sizeof(path), "domains.%s", domain->name);
    check_host(checking, dns_policy_host_render(domain->name, host), path, domain->place,
               domain->allow);
}

static void check_certificates(const struct config *config, const struct trust_store *trust,
                               struct diag *diag)
{
    struct test_config_context checking = {
        .config = config,
        .store = cert_store_new(config->sources, config->n_sources, 1, &clock_system, trust),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .diag = diag,
    };
    struct err err;

    if (cert_store_check_access(checking.store, &err) != 0) {
        diag_add(diag, FINDING_CERTIFICATE_UNREADABLE, config->sources_place, "certificates",
                 "%s; let user '%s' read them", err.msg, config->user);
    } else {
        /* Senders never ask for this name, only a reverse proxy of a customer (RFC 8461 8.2). */
        if (config->policy_host_name)
            check_host(
                &checking, config->policy_host_name, "policy_host.name", config->sources_place,
                finding_bit(FINDING_CERTIFICATE_MISSING) | finding_bit(FINDING_CERTIFICATE_NAME));
        parallel_for(check_domain, &checking, config->n_domains);
    }
    cert_store_unref(checking.store);
}

static void test_config_print_summary(const struct options *options, const struct config *config,
                                      const struct diag *diag)
{
    printf("%s: %zu domains, %zu errors, %zu warnings, %zu notes\n", options->config_path,
           config ? config->n_domains : 0, diag_count(diag, LEVEL_ERROR),
           diag_count(diag, LEVEL_WARNING), diag_count(diag, LEVEL_NOTE));
}

enum exit_status mode_test_config(const struct options *options)
{
    struct diag *diag = diag_new(&config_findings);
    struct config *config = config_load(options->config_path, diag);
    enum exit_status status = config ? STATUS_GOOD : STATUS_USAGE;

    if (config && !options->no_certificates && config->n_sources > 0) {
        struct trust_store *trust = trust_store_new();

        run_as_begin(config);
        check_certificates(config, trust, diag);
        run_as_end();
        trust_store_free(trust);
    }
    if (options->json) {
        diag_print_json(diag, stdout);
    } else {
        diag_print(diag, LEVEL_NOTE, stdout);
        test_config_print_summary(options, config, diag);
    }
    if (config && options->strict && diag_count(diag, LEVEL_WARNING) > 0)
        status = STATUS_FINDINGS;
    config_unref(config);
    diag_free(diag);
    return status;
}
