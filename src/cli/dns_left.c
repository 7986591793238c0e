/* SPDX-License-Identifier: MIT */
#include "cli/dns_left.h"

#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/slice.h"
#include "lib/base/when.h"
#include "lib/config/config.h"
#include "lib/dns/record.h"
#include "lib/state/ledger.h"

/* The report addresses are not in the ledger; a value is only needed for there to be a record. */
static const char *const unknown_rua[] = {""};

static bool dns_left_is_gone(const struct ledger_domain *domain, const struct config *config)
{
    const struct domain *here = config_find_domain(config, slice_of(domain->name));

    return !here || !here->document;
}

static struct domain_records_spec dns_left_spec(const struct ledger_domain *domain,
                                                const struct ledger_policy *policy,
                                                const struct config *config, struct arena *arena)
{
    const struct domain *here = config_find_domain(config, slice_of(domain->name));
    bool delegates_mta_sts = policy->mta_sts_zone.len > 0;
    bool has_reports = policy->has_tls_rpt && (!here || !here->reporting);

    return (struct domain_records_spec){
        .domain = arena_copy(arena, slice_of(domain->name)),
        .zone = arena_copy(arena, policy->zone),
        .id = arena_copy(arena, policy->id),
        .rua = unknown_rua,
        .n_rua = has_reports ? ARRAY_LEN(unknown_rua) : 0,
        .policy_host_name = config->policy_host_name,
        .addresses = config->policy_host_addresses,
        .n_addresses = config->n_policy_host_addresses,
        .delegation_zone = arena_copy(arena, ledger_policy_delegation_zone(policy)),
        .delegates_mta_sts = delegates_mta_sts,
        .delegates_tls_rpt = policy->tls_rpt_zone.len > 0,
        .ttl_mta_sts_s = config->ttl_mta_sts_s,
        .ttl_policy_host_s = config->ttl_policy_host_s,
        .ttl_tls_rpt_s = config->ttl_tls_rpt_s,
    };
}

static const char *dns_left_reason(const struct ledger_period *period, const char *what,
                                   const char *held, struct arena *arena)
{
    char date[WHEN_SIZE], text[256];

    snprintf(text, sizeof(text), "%s since %s, and no sender holds %s", what,
             when_date(period->until_unix_s, date), held);
    return arena_copy(arena, slice_of(text));
}

static size_t dns_left_list(const struct domain_records_spec *spec, const char *reason,
                            struct arena *arena, struct dns_record **ret_records)
{
    size_t n = dns_records_list(spec, arena, ret_records);

    for (size_t i = 0; i < n; i++) {
        struct dns_record *record = &(*ret_records)[i];

        record->left = reason;
        if (record->type == RECORD_TXT && !record->id)
            record->value = NULL;
    }
    return n;
}

/* Whether what is in the zone is of another time: of a later period, or of now. */
static bool dns_left_is_superseded(const struct ledger_domain *domain,
                                   const struct ledger_period *period, const struct config *config)
{
    struct slice zone = ledger_policy_delegation_zone(&period->policy);
    const struct domain *here = config_find_domain(config, slice_of(domain->name));
    const struct ledger_period *at = domain->latest;

    while (at != period && !slice_eq(ledger_policy_delegation_zone(&at->policy), zone))
        at = at->earlier;
    return at != period ||
           (here && here->delegated != 0 && slice_eq_text(zone, config->delegation_zone));
}

/* Returns how many records of the period are to be deleted in the zone it was delegated to. */
static size_t dns_left_list_delegated(const struct ledger_domain *domain,
                                      const struct ledger_period *period,
                                      const struct config *config, struct arena *arena,
                                      struct dns_record **ret_records)
{
    struct domain_records_spec spec = dns_left_spec(domain, &period->policy, config, arena);
    size_t n, n_kept = 0;

    spec.n_rua = period->policy.tls_rpt_zone.len > 0 ? ARRAY_LEN(unknown_rua) : 0;
    n = dns_left_list(&spec,
                      dns_left_reason(period, "the domain is not delegated to this zone",
                                      "a policy of before", arena),
                      arena, ret_records);
    for (size_t i = 0; i < n; i++)
        if (dns_record_is_delegated(&(*ret_records)[i]))
            (*ret_records)[n_kept++] = (*ret_records)[i];
    return n_kept;
}

void dns_left_visit(const struct ledger_domain *domain, const struct config *config,
                    int64_t now_unix_s, struct arena *arena,
                    void (*add)(void *context, const struct dns_record *records, size_t n),
                    void *context)
{
    const struct ledger_period *at = domain->latest;
    struct domain_records_spec spec;
    struct dns_record *records;
    size_t n;

    if (dns_left_is_gone(domain, config) && ledger_is_over(domain, now_unix_s)) {
        spec = dns_left_spec(domain, &at->policy, config, arena);
        n = dns_left_list(&spec, dns_left_reason(at, "no policy is served here", "one", arena),
                          arena, &records);
        add(context, records, n);
        at = at->earlier;
    }
    for (; at; at = at->earlier) {
        struct slice zone = ledger_policy_delegation_zone(&at->policy);

        if (zone.len == 0 || dns_left_is_superseded(domain, at, config) ||
            ledger_delegated_until(domain, zone, now_unix_s) != 0)
            continue;
        n = dns_left_list_delegated(domain, at, config, arena, &records);
        add(context, records, n);
    }
}

const char *dns_left_obstacle(const struct ledger_domain *domain, const struct config *config,
                              int64_t now_unix_s, struct arena *arena)
{
    char date[WHEN_SIZE], text[256];

    if (!dns_left_is_gone(domain, config) || ledger_is_over(domain, now_unix_s))
        return NULL;
    if (domain->latest->until_unix_s == 0)
        return "its policy ends with the next --reload; its records must stay at least until then";
    snprintf(text, sizeof(text),
             "senders may hold its policy until %s; its records must stay until then",
             when_date(ledger_held_until(domain, now_unix_s), date));
    return arena_copy(arena, slice_of(text));
}
