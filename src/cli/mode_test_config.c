/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/identity.h"
#include "cli/mode.h"
#include "config/config.h"
#include "config/load.h"
#include "dns/name.h"
#include "dns/record.h"
#include "tls/certificate.h"
#include "tls/store.h"

enum {
    THREADS_MAX = 64,
};

/* To read and decode 100,000 certificates takes all cores long enough. */
struct checking {
    const struct config *config;
    struct cert_store *store;
    atomic_size_t next; /* domain */
    pthread_mutex_t lock;
    struct diag *diag; /* under the lock */
};

static void check_host(struct checking *checking, const char *host, const char *path,
                       struct place place, finding_set allow)
{
    struct cert_state state;

    cert_store_check(checking->store, host, &state);
    certificate_unref(state.certificate);
    state.findings &= ~allow;
    /* One finding a host: the message tells the whole story, the gravest code comes first. */
    for (int i = 0; i < FINDING_COUNT; i++) {
        if ((state.findings & finding_bit((enum finding)i)) == 0)
            continue;
        pthread_mutex_lock(&checking->lock);
        diag_add(checking->diag, (enum finding)i, place, path, "%s: %s", host, state.message);
        pthread_mutex_unlock(&checking->lock);
        return;
    }
}

static void check_domain(struct checking *checking, const struct domain *domain)
{
    char host[sizeof(DNS_PREFIX_POLICY_HOST) + DNS_NAME_MAX], path[16 + DNS_NAME_MAX];

    if (!domain->document)
        return;
    snprintf(host, sizeof(host), "%s%s", DNS_PREFIX_POLICY_HOST, domain->name);
    snprintf(path, sizeof(path), "domains.%s", domain->name);
    check_host(checking, host, path, domain->place, domain->allow);
}

static void *check_domains(void *context)
{
    struct checking *checking = context;
    size_t i;

    while ((i = atomic_fetch_add(&checking->next, 1)) < checking->config->n_domains)
        check_domain(checking, &checking->config->domains[i]);
    return NULL;
}

/* In this thread too, which does all where no other can be started. */
static void check_on_all_cores(struct checking *checking)
{
    pthread_t threads[THREADS_MAX];
    long n_wanted = sysconf(_SC_NPROCESSORS_ONLN) - 1;
    size_t n = 0;

    while (n < THREADS_MAX && (long)n < n_wanted &&
           pthread_create(&threads[n], NULL, check_domains, checking) == 0)
        n++;
    check_domains(checking);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}

static void check_certificates(const struct config *config, struct diag *diag)
{
    struct checking checking = {
        .config = config,
        .store = cert_store_new(config->sources, config->n_sources, 1, &clock_system),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .diag = diag,
    };
    struct err err;

    if (cert_store_probe(checking.store, &err) != 0) {
        diag_add(diag, FINDING_CERTIFICATE_UNREADABLE, config->sources_place, "certificates",
                 "%s; let user '%s' read them", err.msg, config->user);
    } else {
        if (config->policy_host_name)
            check_host(&checking, config->policy_host_name, "policy_host.name",
                       config->sources_place, 0);
        check_on_all_cores(&checking);
    }
    cert_store_unref(checking.store);
}

static void print_summary(const struct options *options, const struct config *config,
                          const struct diag *diag)
{
    printf("%s: %zu domains, %zu errors, %zu warnings, %zu notes\n", options->config_path,
           config ? config->n_domains : 0, diag_count(diag, LEVEL_ERROR),
           diag_count(diag, LEVEL_WARNING), diag_count(diag, LEVEL_NOTE));
}

enum exit_status mode_test_config(const struct options *options)
{
    struct diag *diag = diag_new();
    struct config *config = config_load(options->config_path, diag);
    enum exit_status status = config ? STATUS_GOOD : STATUS_USAGE;

    if (config && !options->no_certificates && config->n_sources > 0) {
        identity_take(config);
        check_certificates(config, diag);
        identity_return();
    }
    if (options->json) {
        diag_print_json(diag, stdout);
    } else {
        diag_print(diag, LEVEL_NOTE, stdout);
        print_summary(options, config, diag);
    }
    if (config && options->strict && diag_count(diag, LEVEL_WARNING) > 0)
        status = STATUS_FINDINGS;
    config_unref(config);
    diag_free(diag);
    return status;
}
