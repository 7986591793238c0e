/* SPDX-License-Identifier: MIT */
#include "cli/dns_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/daemon_ids.h"
#include "cli/mode.h"
#include "cli/parallel.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/name.h"

enum {
    UNSERVED_NAMED = 20, /* ids named one by one */
};

struct making {
    const struct publication_choice *choice;
    struct publication *publication;
    const struct domain **domains;
    size_t n_domains;
    char **faults; /* of each domain's certificate, to be freed; NULL: none, or not looked at */
    struct dns_record *records; /* in the order of the domains */
    size_t n_records, records_size;
};

/* Returns what is wrong, to be freed, or NULL. */
static char *find_certificate_fault(struct cert_store *store, const struct domain *domain)
{
    char host[POLICY_HOST_SIZE];
    struct cert_state state;
    char *fault;

    cert_store_check(store, dns_policy_host_render(domain->name, host), &state);
    if (state.certificate) {
        certificate_unref(state.certificate);
        return NULL;
    }
    if (asprintf(&fault, "no certificate for %s yet: %s", host, state.message) < 0)
        memory_fail();
    return fault;
}

/* Allowed, the policy is served elsewhere: by the customer's own reverse proxy (RFC 8461 8.2). */
static void look_at_certificate(void *context, size_t index)
{
    const struct making *making = context;
    const struct domain *domain = making->domains[index];

    if (domain->document && !(domain->allow & finding_bit(FINDING_CERTIFICATE_MISSING)))
        making->faults[index] = find_certificate_fault(making->choice->store, domain);
}

/* Whether a daemon runs that does not serve this policy yet. */
static bool is_unserved(const struct making *making, const struct domain *domain)
{
    const struct served *served = making->choice->served;

    if (!served || served_has(served, domain->name, domain->document->id))
        return false;
    if (making->publication->n_unserved++ < UNSERVED_NAMED)
        fprintf(stderr,
                "mta-stsd: %s: the running daemon does not serve id %s yet; publish it after "
                "--reload\n",
                domain->name, domain->document->id);
    return true;
}

/* Why the domain's id must not be published yet; NULL: publish it. */
static const char *find_reason(const struct making *making, size_t index)
{
    const struct domain *domain = making->domains[index];

    if (!domain->document)
        return NULL;
    if (is_unserved(making, domain) && making->choice->is_served_only)
        return "the running daemon does not serve this policy yet";
    if (!making->faults[index])
        return NULL;
    return arena_copy(making->publication->arena, slice_of(making->faults[index]));
}

static void add_records(struct making *making, size_t index)
{
    const struct publication_choice *choice = making->choice;
    struct domain_records_spec spec = domain_records_spec_make(
        choice->config, making->domains[index], find_reason(making, index));
    struct dns_record *records;
    size_t n = dns_records_list(&spec, making->publication->arena, &records);

    for (size_t i = 0; i < n; i++) {
        if (choice->side != SIDE_COUNT && records[i].side != choice->side)
            continue;
        if (making->n_records == making->records_size) {
            making->records_size = making->records_size * 2 + 64;
            making->records =
                memory_resize(making->records, making->records_size, sizeof(*making->records));
        }
        making->publication->n_withheld += records[i].withheld != NULL;
        making->records[making->n_records++] = records[i];
    }
}

static int compare_domains(const void *left, const void *right)
{
    const struct domain *a = *(const struct domain *const *)left;
    const struct domain *b = *(const struct domain *const *)right;

    return strcmp(a->name, b->name);
}

/* The domains named, each once and in the order of the configuration. */
static enum exit_status choose_named(struct making *making)
{
    const struct publication_choice *choice = making->choice;
    const struct domain **domains = making->domains;

    for (size_t i = 0; i < choice->n_domains; i++) {
        domains[i] = cli_find_domain(choice->config, choice->domains[i]);
        if (!domains[i])
            return STATUS_USAGE;
    }
    qsort(domains, choice->n_domains, sizeof(*domains), compare_domains);
    for (size_t i = 0; i < choice->n_domains; i++)
        if (i == 0 || domains[i] != domains[i - 1])
            domains[making->n_domains++] = domains[i];
    return STATUS_GOOD;
}

static enum exit_status choose_all(struct making *making)
{
    const struct config *config = making->choice->config;

    while (making->n_domains < config->n_domains) {
        making->domains[making->n_domains] = &config->domains[making->n_domains];
        making->n_domains++;
    }
    return STATUS_GOOD;
}

static void add_all(struct making *making)
{
    if (making->choice->store)
        cores_run(look_at_certificate, making, making->n_domains);
    for (size_t i = 0; i < making->n_domains; i++) {
        add_records(making, i);
        free(making->faults[i]);
    }
}

/* By zone, and within one as they were added: the elements are pointers into one array. */
static int compare_records(const void *left, const void *right)
{
    const struct dns_record *a = *(struct dns_record *const *)left;
    const struct dns_record *b = *(struct dns_record *const *)right;
    int order = strcmp(a->zone, b->zone);

    return order != 0 ? order : (a > b) - (a < b);
}

static void sort_records(const struct making *making)
{
    struct publication *publication = making->publication;
    size_t n = making->n_records;
    const struct dns_record **order = arena_array(publication->arena, n, sizeof(*order));

    publication->records = arena_array(publication->arena, n, sizeof(*publication->records));
    publication->n_records = n;
    for (size_t i = 0; i < n; i++)
        order[i] = &making->records[i];
    qsort(order, n, sizeof(*order), compare_records);
    for (size_t i = 0; i < n; i++)
        publication->records[i] = *order[i];
}

enum exit_status publication_make(const struct publication_choice *choice,
                                  struct publication *ret_publication)
{
    struct making making = {.choice = choice, .publication = ret_publication};
    size_t n = choice->n_domains > 0 ? choice->n_domains : choice->config->n_domains;
    enum exit_status status;

    *ret_publication = (struct publication){.arena = arena_new(0)};
    making.domains = arena_array(ret_publication->arena, n, sizeof(*making.domains));
    making.faults = arena_array(ret_publication->arena, n, sizeof(*making.faults));
    status = choice->n_domains > 0 ? choose_named(&making) : choose_all(&making);
    if (status == STATUS_GOOD)
        add_all(&making);
    sort_records(&making);
    free(making.records);
    return status;
}

void publication_done(struct publication *publication)
{
    arena_free(publication->arena);
}
