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

static bool dns_left_is_due(const struct ledger_domain *domain, const struct config *config,
                            int64_t now_unix_s)
{
    const struct domain *here = config_find_domain(config, slice_of(domain->name));

    return (!here || !here->document) && ledger_is_over(domain, now_unix_s);
}

static const char *dns_left_reason(const struct ledger_domain *domain, struct arena *arena)
{
    char date[WHEN_SIZE], text[256];

    when_date(domain->latest->until_unix_s, date);
    snprintf(text, sizeof(text), "no policy is served here since %s, and no sender holds one",
             date);
    return arena_copy(arena, slice_of(text));
}

static struct domain_records_spec dns_left_spec(const struct ledger_domain *domain,
                                                const struct config *config, struct arena *arena)
{
    const struct ledger_policy *policy = &domain->latest->policy;
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
        .delegation_zone =
            arena_copy(arena, delegates_mta_sts ? policy->mta_sts_zone : policy->tls_rpt_zone),
        .delegates_mta_sts = delegates_mta_sts,
        .delegates_tls_rpt = policy->tls_rpt_zone.len > 0,
        .ttl_mta_sts_s = config->ttl_mta_sts_s,
        .ttl_policy_host_s = config->ttl_policy_host_s,
        .ttl_tls_rpt_s = config->ttl_tls_rpt_s,
    };
}

size_t dns_left_list(const struct ledger_domain *domain, const struct config *config,
                     int64_t now_unix_s, struct arena *arena, struct dns_record **ret_records)
{
    struct domain_records_spec spec;
    const char *reason;
    size_t n;

    if (!dns_left_is_due(domain, config, now_unix_s))
        return 0;
    spec = dns_left_spec(domain, config, arena);
    reason = dns_left_reason(domain, arena);
    n = dns_records_list(&spec, arena, ret_records);
    for (size_t i = 0; i < n; i++) {
        struct dns_record *record = &(*ret_records)[i];

        record->left = reason;
        if (record->type == RECORD_TXT && !record->id)
            record->value = NULL;
    }
    return n;
}
