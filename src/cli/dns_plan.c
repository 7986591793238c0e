/* SPDX-License-Identifier: MIT */
#include "cli/dns_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/daemon_ids.h"
#include "cli/dns_left.h"
#include "cli/mode.h"
#include "cli/parallel.h"
#include "daemon/tls/cert_store.h"
#include "daemon/tls/cert_store_check.h"
#include "daemon/tls/certificate.h"
#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/config/config.h"
#include "lib/config/records_spec.h"
#include "lib/dns/format.h"
#include "lib/dns/name.h"
#include "lib/state/ledger.h"

enum {
    UNSERVED_NAMED = 20, /* ids named one by one */
};

struct dns_plan_context {
    const struct dns_filter *filter;
    struct dns_plan *plan;
    const struct domain **domains;
    size_t n_domains;
    char **faults; /* of each domain's certificate, for free(); NULL: none, or not checked */
    const struct ledger_domain **known; /* that --domain names and the ledger has */
    size_t n_known;
    struct dns_record *records; /* in the order of the domains */
    size_t n_records, records_size;
};

/* Returns what is wrong with the certificate, for free(); NULL: nothing. */
static char *dns_plan_certificate_fault(const struct dns_filter *filter,
                                        const struct domain *domain)
{
    char host[POLICY_HOST_SIZE];
    struct cert_state state;
    bool is_good, is_ordered;
    char *fault;

    cert_store_check(filter->store, dns_policy_host_render(domain->name, host), &state);
    is_good = cert_state_is_accepted(&state) ||
              (state.certificate && (state.findings & ~domain->allow) == 0);
    certificate_unref(state.certificate);
    if (is_good)
        return NULL;
    is_ordered =
        filter->config->acme && (state.findings & finding_bit(FINDING_CERTIFICATE_MISSING));
    if (asprintf(&fault, "no certificate for %s that senders accept: %s%s", host, state.message,
                 is_ordered ? "; mta-stsd --certificates says when the daemon orders one" : "") < 0)
        memory_fail();
    return fault;
}

/*
 * Where `allow:` names the missing certificate, the customer's own reverse proxy serves the policy
 * (RFC 8461 8.2).
 */
static void dns_plan_check_certificate(void *argument, size_t index)
{
    const struct dns_plan_context *context = argument;
    const struct domain *domain = context->domains[index];

    if (domain->document && !(domain->allow & finding_bit(FINDING_CERTIFICATE_MISSING)))
        context->faults[index] = dns_plan_certificate_fault(context->filter, domain);
}

/* Whether a daemon is running that does not serve this policy yet. */
static bool dns_plan_is_unserved(const struct dns_plan_context *context,
                                 const struct domain *domain)
{
    const struct served *served = context->filter->served;

    if (!served || served_has(served, domain->name, domain->document->id))
        return false;
    if (context->plan->n_unserved++ < UNSERVED_NAMED)
        fprintf(stderr,
                "mta-stsd: %s: the running daemon does not serve id %s yet; publish it after "
                "--reload\n",
                domain->name, domain->document->id);
    return true;
}

/* Senders may hold the policy, or may find its id in their caches: so the record stays. */
static bool dns_plan_was_fetchable(const struct dns_plan_context *context,
                                   const struct domain *domain)
{
    const struct ledger_domain *known =
        ledger_find(context->filter->ledger, slice_of(domain->name));

    return (known && known->fetchable_unix_s != 0) ||
           served_was_fetchable(context->filter->served, domain->name);
}

static void dns_plan_warn_unfetchable(const struct dns_plan_context *context,
                                      const struct domain *domain, const char *fault)
{
    if (context->plan->n_unfetchable++ < UNSERVED_NAMED)
        fprintf(stderr,
                "mta-stsd: %s: %s; its record is printed all the same, since its policy could be "
                "fetched before\n",
                domain->name, fault);
}

/* Why the domain's id must not be published yet; NULL: publish it. */
static const char *dns_plan_withheld_reason(const struct dns_plan_context *context, size_t index)
{
    const struct domain *domain = context->domains[index];

    if (!domain->document)
        return NULL;
    if (dns_plan_is_unserved(context, domain) && context->filter->is_served_only)
        return "the running daemon does not serve this policy yet";
    if (!context->faults[index])
        return NULL;
    if (dns_plan_was_fetchable(context, domain)) {
        dns_plan_warn_unfetchable(context, domain, context->faults[index]);
        return NULL;
    }
    return arena_copy(context->plan->arena, slice_of(context->faults[index]));
}

static void dns_plan_add_records(void *argument, const struct dns_record *records, size_t n)
{
    struct dns_plan_context *context = argument;
    enum record_side side = context->filter->side;

    for (size_t i = 0; i < n; i++) {
        if (side != SIDE_COUNT && records[i].side != side)
            continue;
        if (context->n_records == context->records_size) {
            context->records_size = context->records_size * 2 + 64;
            context->records =
                memory_resize(context->records, context->records_size, sizeof(*context->records));
        }
        context->plan->n_withheld += records[i].withheld != NULL;
        context->plan->n_left += records[i].left != NULL;
        context->records[context->n_records++] = records[i];
    }
}

static void dns_plan_add_domain(struct dns_plan_context *context, size_t index)
{
    struct domain_records_spec spec = domain_records_spec_make(
        context->filter->config, context->domains[index], dns_plan_withheld_reason(context, index));
    struct dns_record *records;
    size_t n = dns_records_list(&spec, context->plan->arena, &records);

    dns_plan_add_records(context, records, n);
}

static void dns_plan_add_left(struct dns_plan_context *context, const struct ledger_domain *domain)
{
    dns_left_visit(domain, context->filter->config, context->filter->now_unix_s,
                   context->plan->arena, dns_plan_add_records, context);
}

/* The records to delete, of the domains that are named or of all. */
static void dns_plan_add_all_left(struct dns_plan_context *context)
{
    const struct dns_filter *filter = context->filter;
    const struct ledger_domain *domain = NULL;

    while (filter->n_domains == 0 && (domain = ledger_next(filter->ledger, domain)))
        dns_plan_add_left(context, domain);
    for (size_t i = 0; i < context->n_known; i++) {
        const char *obstacle = dns_left_obstacle(context->known[i], filter->config,
                                                 filter->now_unix_s, context->plan->arena);

        if (obstacle)
            fprintf(stderr, "mta-stsd: %s: %s\n", context->known[i]->name, obstacle);
        dns_plan_add_left(context, context->known[i]);
    }
}

static int dns_plan_compare_domains(const void *left, const void *right)
{
    const struct domain *a = *(const struct domain *const *)left;
    const struct domain *b = *(const struct domain *const *)right;

    return strcmp(a->name, b->name);
}

/* Returns what the ledger has of a domain that was served a policy; NULL: nothing. */
static const struct ledger_domain *dns_plan_find_known(const struct dns_filter *filter,
                                                       const char *written)
{
    const struct ledger_domain *known = NULL;
    char name[DNS_NAME_MAX + 1];
    struct err err;
    size_t len;

    if (dns_name_parse(slice_of(written), name, &len, &err) == 0)
        known = ledger_find(filter->ledger, (struct slice){name, len});
    return known && known->latest ? known : NULL;
}

static void dns_plan_take_known(struct dns_plan_context *context, const struct ledger_domain *known)
{
    for (size_t i = 0; i < context->n_known; i++)
        if (context->known[i] == known)
            return;
    context->known[context->n_known++] = known;
}

/* Takes the domains that --domain names, each once and in the order of the configuration. */
static enum exit_status dns_plan_take_named(struct dns_plan_context *context)
{
    const struct dns_filter *filter = context->filter;
    const struct domain **domains = context->domains;
    size_t n = 0;

    context->known = arena_array(context->plan->arena, filter->n_domains, sizeof(*context->known));
    for (size_t i = 0; i < filter->n_domains; i++) {
        const struct ledger_domain *known = dns_plan_find_known(filter, filter->domains[i]);

        if (known)
            dns_plan_take_known(context, known);
        domains[n] = known ? config_find_domain(filter->config, slice_of(known->name))
                           : cli_find_domain(filter->config, filter->domains[i]);
        if (domains[n])
            n++;
        else if (!known)
            return STATUS_USAGE;
    }
    qsort(domains, n, sizeof(*domains), dns_plan_compare_domains);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || domains[i] != domains[i - 1])
            domains[context->n_domains++] = domains[i];
    return STATUS_GOOD;
}

static enum exit_status dns_plan_take_all(struct dns_plan_context *context)
{
    const struct config *config = context->filter->config;

    while (context->n_domains < config->n_domains) {
        context->domains[context->n_domains] = &config->domains[context->n_domains];
        context->n_domains++;
    }
    return STATUS_GOOD;
}

static void dns_plan_add_all(struct dns_plan_context *context)
{
    if (context->filter->store)
        parallel_for(dns_plan_check_certificate, context, context->n_domains);
    for (size_t i = 0; i < context->n_domains; i++) {
        dns_plan_add_domain(context, i);
        free(context->faults[i]);
    }
}

enum exit_status dns_plan_make(const struct dns_filter *filter, struct dns_plan *ret_plan)
{
    struct dns_plan_context context = {.filter = filter, .plan = ret_plan};
    size_t n = filter->n_domains > 0 ? filter->n_domains : filter->config->n_domains;
    enum exit_status status;

    *ret_plan = (struct dns_plan){.arena = arena_new(0), .is_whole = filter->n_domains == 0};
    context.domains = arena_array(ret_plan->arena, n, sizeof(*context.domains));
    context.faults = arena_array(ret_plan->arena, n, sizeof(*context.faults));
    status = filter->n_domains > 0 ? dns_plan_take_named(&context) : dns_plan_take_all(&context);
    if (status == STATUS_GOOD)
        dns_plan_add_all(&context);
    if (status == STATUS_GOOD && filter->ledger)
        dns_plan_add_all_left(&context);
    ret_plan->records = context.records;
    ret_plan->n_records = context.n_records;
    dns_format_group(ret_plan->records, ret_plan->n_records);
    return status;
}

void dns_plan_done(struct dns_plan *plan)
{
    free(plan->records);
    arena_free(plan->arena);
}
